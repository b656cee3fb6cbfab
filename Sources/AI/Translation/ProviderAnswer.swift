public import Detection
import JSON
public import Kernel

/// An answer on its way from a provider to the client: whole, or a stream event by event.
///
/// Pure: octets in, octets out. The same dialect passes as it came, and is only read for what was used.
public struct ProviderAnswer: ~Copyable {
  let request: ProviderRequest
  private var framing = ServerSentEvents()
  private var binary = BinaryEvents()
  private var reader: any StreamReader
  var writer: any StreamWriter
  private var events: [Event] = []
  /// The last event, where it had a text alone.
  private var template: EventTemplate?
  /// Events that were passed, where the client's dialect numbers them.
  private var passed = 0
  /// Whether the last event said a usage of null.
  private var saysNullUsage = false
  /// Whether an event passed that was not understood, which may have been the last.
  private var hasUnread = false
  /// Templates that were made since one was of use: where events differ in more than their text, none is.
  private var vainTemplates = 0

  /// As the provider counted.
  public internal(set) var usage = Usage()
  /// Tokens of the prompt as the head of the answer has them; 0 where it has none.
  public var countedInput = 0
  public internal(set) var finish: Finish?
  /// The model that answered, as it calls itself.
  public internal(set) var model = ""
  public internal(set) var failure: Failure?
  /// Bytes of what the model wrote, as far as it has come: text, thoughts, calls of tools.
  public internal(set) var written = 0
  /// The beginning of what the model answered in words, as far as somebody wants it.
  public internal(set) var words: [UInt8] = []
  /// How many bytes of it that is.
  public var wantedWords = 0
  /// How many pieces of a stream had something of the answer itself.
  public private(set) var chunks = 0
  /// Whether anything of the answer itself has come.
  public private(set) var hasContent = false
  /// Nothing more is said to the client: the stream has ended, well or not.
  public internal(set) var isOver = false

  /// - Parameter head: what is said where the provider says nothing: an id, the model, the time.
  public init(_ request: ProviderRequest, head: AnswerHead) {
    self.request = request
    reader = request.operation == nil ? request.back.makeReader() : PassedStream()
    writer = request.front.makeWriter(head, showsUsage: request.showsUsage)
    self.head = head
  }

  let head: AnswerHead

  // MARK: What the texts go through

  var screen: AnswerScreen?
  var isScreened = false
  /// The rule of the gateway's for which the answer is withheld, or ended.
  public internal(set) var broken: BrokenRule?

  /// Lets all texts go through a screen before the client gets them.
  public mutating func pass(through screen: consuming AnswerScreen) {
    self.screen = consume screen
    isScreened = true
  }

  // MARK: An answer that is kept

  var recorder: AnswerRecorder?

  /// Keeps what the model says, as it comes and before anything screens it.
  public mutating func record() { recorder = AnswerRecorder() }

  /// The whole answer, if it came to its end and may be given again.
  public var recorded: Answer? {
    // What was not understood is missing in it.
    isOver && failure == nil && broken == nil && !hasUnread ? recorder?.finished : nil
  }

  // MARK: A stream

  /// Takes octets of the provider's stream and appends what the client gets.
  public mutating func take(_ bytes: Span<UInt8>, into out: inout ByteBuffer) {
    guard isScreened else { return read(bytes, into: &out) }
    var written = ByteBuffer(capacity: bytes.count + 256)
    read(bytes, into: &written)
    sift(written, into: &out)
  }

  private mutating func read(_ bytes: Span<UInt8>, into out: inout ByteBuffer) {
    var position = 0
    while !isOver {
      do {
        guard try nextEvent(bytes, at: &position) else { return }
      } catch { return say(.malformedAnswer, into: &out) }
      takeEvent(into: &out)
    }
  }

  private mutating func nextEvent(_ bytes: Span<UInt8>, at position: inout Int) throws(Failure) -> Bool {
    do {
      if request.back == .bedrock { return try binary.next(bytes, at: &position) }
      return try framing.next(bytes, at: &position)
    } catch { throw .malformedAnswer }
  }

  /// The provider's stream has ended, or broke off. Some servers say why they finish, and then no more.
  public mutating func end(into out: inout ByteBuffer) {
    if isOver { return }
    guard isScreened else { return close(into: &out) }
    var written = ByteBuffer(capacity: 256)
    close(into: &written)
    sift(written, into: &out)
  }

  private mutating func close(into out: inout ByteBuffer) {
    if request.operation != nil { return isOver = true }
    // Responses always say that they end.
    if finish == nil, !hasUnread || request.back == .responses { return say(.truncated, into: &out) }
    isOver = true
    if !request.isNative { return writer.write(.end, into: &out) }
    framing.appendRest(to: &out)
    switch request.front {
    case .chat: out.append("data: [DONE]\n\n")
    case .messages: out.append("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n")
    case .responses, .generate: break
    }
  }

  /// Ends the client's stream with an error event.
  public mutating func fail(_ failure: Failure, into out: inout ByteBuffer) {
    if isOver { return }
    guard isScreened else { return say(failure, into: &out) }
    var written = ByteBuffer(capacity: 256)
    say(failure, into: &written)
    sift(written, into: &out)
  }

  private mutating func say(_ failure: Failure, into out: inout ByteBuffer) {
    isOver = true
    self.failure = failure
    if request.back == .responses { writer = Responses.Writer(head, from: passed) }
    writer.write(.failure(failure), into: &out)
  }

  private mutating func takeEvent(into out: inout ByteBuffer) {
    events.removeAll(keepingCapacity: true)
    var isLikeLast = false
    if let template, let event = framing.readEvent(as: template) {
      isLikeLast = true
      events.append(event)
      vainTemplates = 0
    } else {
      do { guard try readEvent(into: &out) else { return } } catch { return relay(error, into: &out) }
    }
    if request.answerTool != nil { events = events.compactMap(\.asText) }
    for event in events { note(event) }
    screen?.count(written)
    if isScreened, screen?.broken != nil { return isOver = true }
    if events.contains(where: { $0.isContent }) { chunks += 1 }
    if request.isNative {
      pass(isLikeLast, into: &out)
    } else {
      for event in events {
        if case .image = event, request.front == .messages { return say(.imageless, into: &out) }
        writer.write(event, into: &out)
      }
    }
    if reader.isComplete { isOver = true }
  }

  /// Passes the event at hand as it came, without a trace of a usage that the client did not ask for.
  ///
  /// - Parameter isLikeLast: whether it differs from the one before in its text alone, and says as much of a usage.
  private mutating func pass(_ isLikeLast: Bool, into out: inout ByteBuffer) {
    if request.back == .responses { passed += 1 }
    if request.showsUsage || (isLikeLast && !saysNullUsage) { return framing.appendRaw(to: &out) }
    if !isUsageOnly { saysNullUsage = framing.appendRawWithoutUsage(to: &out) }
  }

  /// Reads the event at hand; false of a comment.
  private mutating func readEvent(into out: inout ByteBuffer) throws(Failure) -> Bool {
    let isBinary = request.back == .bedrock
    let data = isBinary ? binary.eventData : framing.eventData
    if data.isEmpty {
      // A comment keeps the connection alive, and does so for the client too.
      if request.isNative { framing.appendRaw(to: &out) } else { out.append(":\n\n") }
      return false
    }
    // The data of a text event says itself of what kind it is.
    do { try reader.read(isBinary ? binary.eventName : "", data, into: &events) } catch {
      guard error == .malformedAnswer, isPassed(data) else { throw error }
      hasUnread = true
      hasContent = true
    }
    template = nil
    if events.count == 1, !isBinary, request.operation == nil, vainTemplates < Self.mostVainTemplates {
      template = EventTemplate(data, saying: events[0])
      if template != nil { vainTemplates += 1 }
    }
    return true
  }

  /// Whether an event passes that was not understood: who speaks its dialect may know what is new in it.
  private func isPassed(_ data: [UInt8]) -> Bool {
    guard request.isNative, request.operation == nil, let event = try? JSONElement(parsing: data) else { return false }
    return request.back.isEvent(event)
  }

  private static let mostVainTemplates = 4

  /// The provider's own error event passes as it is to a client of its dialect.
  private mutating func relay(_ failure: Failure, into out: inout ByteBuffer) {
    if request.isNative, failure != .malformedAnswer {
      isOver = true
      self.failure = failure
      framing.appendRaw(to: &out)
    } else {
      say(failure, into: &out)
    }
  }

  /// Whether the event is the one that only the gateway asked for.
  private var isUsageOnly: Bool {
    guard !request.showsUsage, events.count == 1, case .usage = events[0] else { return false }
    return true
  }

  private mutating func note(_ event: Event) {
    recorder?.take(event)
    switch event {
    case .begin(let head): model = head.model
    case .usage(let counts): usage = counts
    case .finish(let reason): finish = reason
    case .text(let text), .refusal(let text), .reasoning(let text), .toolArguments(let text):
      if words.count < wantedWords, event.isSaid { words += Array(text.utf8) }
      hasContent = true
      written += text.utf8.count
    case .toolCall(_, let name):
      hasContent = true
      written += name.utf8.count
    case .image: hasContent = true
    default: break
    }
  }
}
