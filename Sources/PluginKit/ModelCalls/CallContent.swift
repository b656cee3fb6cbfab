public import Detection

/// What a call of a model asks.
///
/// Nothing of it is read before a plugin looks: most calls have none that does.
public protocol CallContent: AnyObject {
  /// How freely the answer is drawn; nil where the request does not say.
  var temperature: Double? { get }
  /// Whether the same request has the same answer anyway, as an embedding.
  var isDetermined: Bool { get }
  /// Whether a text of the request comes as the numbers of its tokens: no rule can look through it.
  var saysTokens: Bool { get }

  /// Every text of the request in its order, wherever the client's dialect has it, but for data in base64.
  var texts: [String] { get }
  /// Those of them that users said: no instructions, and nothing of models and tools.
  var userTexts: [String] { get }
  /// Puts every text of the request through a filter of its own; false where that cannot be done.
  func filter(_ makeFilter: @escaping () -> any TextFilter) -> Bool

  /// The request as it came, as text that depends on what it says only; nil where no answer may stand in for another.
  var canonical: [UInt8]? { get }
  /// What the request asks as it stands now: the same in every dialect, for streams and whole answers. Nil where no answer
  /// may stand in for another.
  var meaning: [UInt8]? { get }
  /// What the last user asked in words, and everything else that the answer depends on, as octets that are the same for
  /// requests that agree in all but those words. Nil where `meaning` is.
  var question: (frame: [UInt8], text: String)? { get }
  /// Reads the octets of an answer that was kept in no dialect; nil where they are none.
  func readAnswer(_ octets: [UInt8]) -> (any KeptAnswer)?
}

/// What nobody can look into, such as a conversation that only begins.
extension CallContent {
  public var temperature: Double? { nil }
  public var isDetermined: Bool { false }
  public var saysTokens: Bool { false }
  public var texts: [String] { [] }
  public var userTexts: [String] { [] }
  public func filter(_ makeFilter: @escaping () -> any TextFilter) -> Bool { false }
  public var canonical: [UInt8]? { nil }
  public var meaning: [UInt8]? { nil }
  public var question: (frame: [UInt8], text: String)? { nil }
  public func readAnswer(_ octets: [UInt8]) -> (any KeptAnswer)? { nil }
}
