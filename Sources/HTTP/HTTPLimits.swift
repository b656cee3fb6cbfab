/// What a peer may make us hold, in bytes unless said.
///
/// The head's limit is the one that people set; the others follow from what real clients send. All bound memory, and
/// with it the time that one message can take.
public struct HTTPLimits: Sendable, Equatable {
  /// A request or response head, start line and empty line included.
  public var head: Int
  /// Fields in a head (a count).
  public var headers: Int
  /// The request target. Browsers stop at about 2 KiB in practice; single sign-on goes to 8 KiB.
  public var target: Int
  /// The extensions of one chunk. A signature takes 90 bytes.
  public var chunkExtension: Int
  /// How far a body's chunk extensions may outgrow its data in all, so that a body of one-byte chunks with long
  /// extensions ends early.
  public var chunkOverhead: Int
  /// A trailer section.
  public var trailers: Int

  public init(
    head: Int = 16 << 10, headers: Int = 100, target: Int = 8 << 10, chunkExtension: Int = 256,
    chunkOverhead: Int = 16 << 10, trailers: Int = 8 << 10
  ) {
    precondition(head > 0 && head <= 1 << 30, "offsets in a head are 32 bits wide")
    self.head = head
    self.headers = headers
    self.target = target
    self.chunkExtension = chunkExtension
    self.chunkOverhead = chunkOverhead
    self.trailers = trailers
  }

  /// The longest field name, in bytes: four times the longest that is registered.
  static let fieldName = 256
  /// The longest method, in bytes: the longest registered one has 17.
  static let method = 24
  /// How many options `Connection` may list: real messages have two or three.
  static let connectionOptions = 16
}
