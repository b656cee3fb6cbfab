public import Detection

/// A call of a model, as plugins see it once the conversation is decoded and before anything is sent.
///
/// It knows no dialect. What a plugin reserves for it is told once how the call ended, whatever became of it.
public final class ModelCall {
  /// The model as the client calls it.
  public let asked: String
  /// Who runs the model that was chosen, and what they call it.
  public let provider: String
  public let model: String
  /// Whether the answer is a stream of events.
  public let streams: Bool
  /// An estimate of the prompt's tokens, by its length.
  public let inputTokens: Int
  /// The most tokens that the answer may have; nil where nobody says.
  public let outputTokens: Int?
  /// Nil where none is known.
  public let price: TokenPrice?
  private let asks: (any CallContent)?
  /// Asks other models for a plugin's own ends; nil where none can be asked.
  public let asker: (any ModelAsking)?
  private var guards: [any AnswerGuard] = []
  private var reservations: [any ModelReservation] = []
  private var keeper: ((GivenAnswer) -> Void)?
  private var contentKeeper: ((any KeptAnswer) -> Void)?

  /// - Parameter asks: what the request says; nil where nobody can look into it.
  public init(
    asked: String, provider: String, model: String, streams: Bool, inputTokens: Int, outputTokens: Int?,
    price: TokenPrice?, asks: (any CallContent)? = nil, asker: (any ModelAsking)? = nil
  ) {
    self.asked = asked
    self.provider = provider
    self.model = model
    self.streams = streams
    self.inputTokens = inputTokens
    self.outputTokens = outputTokens
    self.price = price
    self.asks = asks
    self.asker = asker
  }

  // MARK: The request

  /// How freely the answer is drawn; nil where the request does not say.
  public var temperature: Double? { asks?.temperature }

  /// Whether the same request has the same answer anyway, as an embedding.
  public var isDetermined: Bool { asks?.isDetermined ?? false }

  /// Whether a text of the request comes as the numbers of its tokens: no rule can look through it.
  public var saysTokens: Bool { asks?.saysTokens ?? false }

  /// Every text of the request in its order, wherever the client's dialect has it, but for data in base64.
  public private(set) lazy var texts: [String] = asks?.texts ?? []

  /// Those of them that users said: no instructions, and nothing of models and tools.
  public var userTexts: [String] { asks?.userTexts ?? [] }

  /// Puts every text of the request through a filter of its own, before later hooks and the model see it.
  ///
  /// Strings that are JSON themselves, such as the arguments of a call, are filtered within: they stay JSON. The filters
  /// may be asked for again, as long as the call lasts, where another request is made of this one.
  ///
  /// - Returns: false where it cannot be done, so that the request must not go out.
  public func filterTexts(_ makeFilter: @escaping () -> any TextFilter) -> Bool {
    guard let asks, asks.filter(makeFilter) else { return false }
    texts = asks.texts
    return true
  }

  // MARK: The answer

  /// Lets a guard see the answer before the client does.
  public func guardAnswer(_ answerGuard: any AnswerGuard) { guards.append(answerGuard) }

  /// Whether anybody looks at the answer.
  public var isAnswerGuarded: Bool { !guards.isEmpty }

  /// Whether the client gets nothing of the answer before all of it was judged.
  public var isAnswerJudged: Bool { guards.contains { $0.judgesAnswer } }

  /// Tells the guards that an answer begins.
  public func answerBegins() { for one in guards { one.answerBegins() } }

  /// Asks the guards that judge about the whole answer, in reverse, until one does not let it pass.
  public func judgeAnswer() async -> AnswerJudgement {
    for one in guards.reversed() where one.judgesAnswer {
      let judgement = await one.judgeAnswer()
      guard case .passed = judgement else { return judgement }
    }
    return .passed
  }

  /// The fewest bytes that a guard lets the model write, and its rule.
  public var longestAnswer: (bytes: Int, rule: BrokenRule)? {
    guards.compactMap(\.longestAnswer).min { $0.bytes < $1.bytes }
  }

  /// What one text of the answer goes through: the guards in reverse, as all hooks on the way back.
  public func makeAnswerFilter() -> any TextFilter {
    guards.count == 1 ? guards[0].makeFilter() : FilterChain(guards.reversed().map { $0.makeFilter() })
  }

  /// Tells the guards that the answer was withheld, or ended.
  public func answerWasDenied(_ rule: BrokenRule) { for one in guards { one.answerWasDenied(rule) } }

  // MARK: Answers that are kept

  /// The request as it came, as text that depends on what it says only; nil where an answer must be its own.
  public var canonical: [UInt8]? { asks?.canonical }

  /// Asks for the answer as the client gets it, if it is a whole and good one.
  public func keepAnswer(_ keeper: @escaping (GivenAnswer) -> Void) { self.keeper = keeper }

  /// Whether anybody wants to keep it.
  public var isAnswerKept: Bool { keeper != nil }

  /// Hands the answer over to who wants it.
  public func give(_ answer: GivenAnswer) { keeper?(answer) }

  /// What the request asks as it stands now: the same in every dialect, for streams and whole answers. Nil where it says
  /// something that only its own dialect knows.
  public var content: [UInt8]? { asks?.meaning }

  /// What the last user asked in words, and everything else that the answer depends on, as octets that are the same for
  /// requests that agree in all but those words. Nil where `content` is.
  public var question: (frame: [UInt8], text: String)? { asks?.question }

  /// Asks for the answer as the model gave it, before any guard, and in no dialect.
  public func keepContent(_ keeper: @escaping (any KeptAnswer) -> Void) { contentKeeper = keeper }

  /// Whether anybody wants to keep it.
  public var isContentKept: Bool { contentKeeper != nil }

  /// Hands it over to who wants it.
  public func keep(_ answer: any KeptAnswer) { contentKeeper?(answer) }

  /// Reads the octets of what `keepContent` gave, here or in another gateway; nil where they are none.
  public func readContent(_ octets: [UInt8]) -> (any KeptAnswer)? { asks?.readAnswer(octets) }

  /// An answer that was kept so and is given again: nobody is asked, and later hooks see the call all the same.
  public private(set) var kept: (any KeptAnswer)?

  /// Answers the call with what was kept of another.
  public func answer(with kept: any KeptAnswer) { self.kept = kept }

  /// Whether the call has its answer already, so that a limit need not reserve anything for it.
  public var isAnswered: Bool { kept != nil }

  // MARK: What it comes to

  /// Keeps what must be told how the call ends.
  public func hold(_ reservation: any ModelReservation) { reservations.append(reservation) }

  /// Tells every reservation what a call has used up to now that goes on.
  ///
  /// - Returns: the first fault for which it may not go on.
  public func use(_ outcome: ModelOutcome) -> Fault? {
    var fault: Fault?
    for reservation in reservations {
      let refusal = reservation.use(outcome)
      fault = fault ?? refusal
    }
    return fault
  }

  /// Tells every reservation, in the order in which they were made, and lets go of them.
  public func settle(_ outcome: ModelOutcome) {
    let held = reservations
    reservations = []
    for reservation in held { reservation.settle(outcome) }
  }
}

/// An answer as a client got it, in its dialect: a document, or a stream of events.
public final class GivenAnswer: KeptAnswer {
  public let contentType: String
  public let body: [UInt8]

  public init(contentType: String, body: [UInt8]) {
    self.contentType = contentType
    self.body = body
  }

  public var size: Int { body.count + contentType.utf8.count }

  /// The type, a line's end, and the body.
  public var octets: [UInt8]? { Array(contentType.utf8) + [0x0A] + body }

  /// Nil where these are not the octets of one.
  public convenience init?(octets: [UInt8]) {
    guard let end = octets.firstIndex(of: 0x0A) else { return nil }
    self.init(contentType: String(decoding: octets[..<end], as: UTF8.self), body: Array(octets[(end + 1)...]))
  }
}

/// What a call may use up was set aside when it began; how much it did is told when it is over.
public protocol ModelReservation: AnyObject {
  /// What a call has used up to now, in all, that goes on for long: a realtime conversation after each answer.
  ///
  /// - Returns: why it may not go on; nil while it may.
  func use(_ outcome: ModelOutcome) -> Fault?
  /// Called once, on the worker, before the call's record is written.
  func settle(_ outcome: ModelOutcome)
}

extension ModelReservation {
  public func use(_ outcome: ModelOutcome) -> Fault? { nil }
}

/// How a call ended, as far as it is to be accounted for.
public struct ModelOutcome: Sendable, Equatable {
  /// Tokens of the prompt, cached ones too.
  public var inputTokens: Int
  public var outputTokens: Int
  /// In billionths of a USD; nil when the model has no price.
  public var cost: Int?
  /// Whether the tokens are an estimate, because the provider did not come to say them.
  public var isEstimated: Bool
  /// Whether a cache answered, so that no model was asked.
  public var isHit: Bool

  public init(
    inputTokens: Int = 0, outputTokens: Int = 0, cost: Int? = nil, isEstimated: Bool = false, isHit: Bool = false
  ) {
    self.inputTokens = inputTokens
    self.outputTokens = outputTokens
    self.cost = cost
    self.isEstimated = isEstimated
    self.isHit = isHit
  }
}

/// What tokens of a model cost, in billionths of a USD for each.
public struct TokenPrice: Sendable, Equatable {
  public var input: Int
  public var output: Int

  public init(input: Int, output: Int) {
    self.input = input
    self.output = output
  }

  /// What so many would cost, at most a quarter of what an integer holds: absurd counts must not overflow a sum.
  public func cost(input inputTokens: Int, output outputTokens: Int) -> Int {
    Self.product(inputTokens, input) + Self.product(outputTokens, output)
  }

  private static func product(_ count: Int, _ price: Int) -> Int {
    let (product, overflows) = max(0, count).multipliedReportingOverflow(by: price)
    return overflows ? .max / 4 : min(product, .max / 4)
  }
}
