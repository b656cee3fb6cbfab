import AI
import Detection
import Kernel
import PluginKit

/// One call of a model: what was asked, who is being asked, who may still be, and what has come of the answer.
final class ConversationCall {
  /// The model as the client calls it.
  let asked: String
  /// Whether the name that was asked for is one of the configuration's.
  let isConfigured: Bool
  let timeouts: ModelTimeouts
  private let id: String
  private var waiting: [ModelCandidate]

  private(set) var model: ModelName
  private(set) var provider: ModelProvider
  /// The provider's key that this attempt uses.
  private(set) var key: String?
  private(set) var request: ProviderRequest
  var answer: ProviderAnswer
  /// Monotonic nanoseconds when anything of the answer itself had come; 0 before.
  var firstContent = 0
  /// The prompt's tokens, by its length.
  var size = 0
  /// What plugins see of it; nil where none looks.
  var plan: ModelCall?
  /// The request as they see and edit it; nil where none looks.
  var content: AskedContent?
  /// Whether the answer was there already, so that no model was asked.
  var isKept = false
  /// Whether the client does not get the answer, as its judges do not let it pass.
  var isWithheld = false
  /// The stream as the client gets it, as long as somebody wants to keep it.
  private var recording: ByteBuffer?
  /// What the call log keeps of what was said.
  var log = ModelLogSettings()
  /// What users said, where the log keeps it.
  var said: [String] = []
  /// What all attempts came to.
  var settlement = Settlement()
  /// What the last of them did.
  var last = Settlement()
  /// What answers used that nobody got.
  private(set) var earlier = Settlement()
  /// Whether an attempt was begun that is not accounted for.
  private(set) var isOpen = false
  var isSettled = false
  var pace = Pace()

  /// Who did not answer, each with why.
  private(set) var tried: [String] = []
  /// Why the last of them did not, where it said so.
  private(set) var failure: Failure?
  /// Seconds after which the provider wants to be asked again; 0 when it did not say.
  private(set) var retryAfter = 0
  /// Whether the attempt at hand was given up for the next.
  private(set) var isGivenUp = false
  /// Whether another may be asked the same: not once a part of a form has passed that nobody keeps.
  var isRepeatable = true
  private var keyChanges = 0

  /// - Parameters:
  ///   - candidates: at least one.
  ///   - request: what the first of them is sent.
  init(
    asked: String, _ candidates: [ModelCandidate], _ timeouts: ModelTimeouts, request: ProviderRequest, id: String
  ) {
    self.asked = asked
    self.timeouts = timeouts
    let first = candidates[0]
    model = first.model
    provider = first.provider
    isConfigured = asked != model.text || provider.isPriced(model.model)
    waiting = Array(candidates.reversed())
    self.request = request
    let prefix =
      switch request.front {
      case .chat: "chatcmpl-"
      case .messages: "msg_"
      case .responses: "resp_"
      case .generate: ""
      }
    self.id = prefix + id
    answer = ProviderAnswer(
      request, head: AnswerHead(id: self.id, model: asked, created: Clock.wall / 1_000_000_000))
  }

  /// In billionths of a USD; nil when the model has no price.
  var cost: Int? { last.cost.map { $0 + (earlier.cost ?? 0) } ?? earlier.cost }

  // MARK: One after the other

  /// Who is next; nil when nobody is left.
  func takeNext() -> ModelCandidate? { waiting.popLast() }

  var hasNext: Bool { !waiting.isEmpty }

  /// Begins an attempt.
  func begin(_ candidate: ModelCandidate, _ key: String?, _ request: ProviderRequest) {
    model = candidate.model
    provider = candidate.provider
    self.key = key
    self.request = request
    isGivenUp = false
    firstContent = 0
    isOpen = true
    pace = Pace()
    answer = ProviderAnswer(
      request, head: AnswerHead(id: id, model: asked, created: Clock.wall / 1_000_000_000))
    screenAnswer()
    if log.answers { answer.wantedWords = log.limit }
    recording = plan?.isAnswerKept ?? false ? ByteBuffer(capacity: 1024) : nil
    if plan?.isContentKept == true { answer.record() }
  }

  /// Says an answer that was kept, in the place of anybody's.
  func replay(_ kept: KeptModelAnswer, into out: inout ByteBuffer) {
    isKept = true
    screenAnswer()
    answer.replay(kept.answer, into: &out)
  }

  /// Lets the texts of the answer go through what plugins want them to.
  private func screenAnswer() {
    guard let plan, plan.isAnswerGuarded else { return }
    plan.answerBegins()
    answer.pass(through: AnswerScreen(request.front, longest: plan.longestAnswer) { plan.makeAnswerFilter() })
  }

  /// Notes a piece of the stream that the client gets.
  func record(_ piece: borrowing ByteBuffer) {
    guard var noted = recording.take() else { return }
    noted.append(piece.span)
    if noted.count <= Self.longestRecording { recording = consume noted }
  }

  /// Takes the provider's key out of what its errors say: some tell which key it was that they refuse.
  func hideKey(in text: inout ByteBuffer) {
    guard answer.failure != nil, let key, key.utf8.count >= Self.shortestKey else { return }
    let bytes = BodyCollector.array(text)
    var hidden = bytes
    for written in [key, key.split(separator: "/", omittingEmptySubsequences: false).joined(separator: "\\/")] {
      hidden = hidden.replacing(Array(written.utf8), with: Array("***".utf8))
    }
    if hidden == bytes { return }
    text.removeAll()
    text.append(hidden.span)
  }

  /// What is shorter is found in any text.
  private static let shortestKey = 6

  /// Hands the stream over that was noted, when it is whole and good.
  func giveStream(contentType: String) {
    guard let noted = recording.take(), isGood else { return }
    plan?.give(GivenAnswer(contentType: contentType, body: BodyCollector.array(noted)))
  }

  /// The same for an answer that is no stream.
  func give(_ body: borrowing ByteBuffer, contentType: String) {
    guard let plan, plan.isAnswerKept, isGood else { return }
    plan.give(GivenAnswer(contentType: contentType, body: BodyCollector.array(body)))
  }

  /// Whether the answer is what the model wanted to say, to its end.
  private var isGood: Bool {
    guard answer.isOver, answer.failure == nil, answer.broken == nil else { return false }
    if request.operation != nil { return true }
    guard let reason = answer.finish?.reason else { return false }
    return reason == .stop || reason == .toolCalls || reason == .length
  }

  private static let longestRecording = 8 << 20

  /// Asks the same model once more for another answer.
  func askAgain() { waiting.append(ModelCandidate(provider: provider, model: model)) }

  /// Accounts for the attempt at hand, whose answer nobody gets; what it came to, by itself.
  ///
  /// - Parameter wasWorkedOn: whether the provider has had the request and may have worked on it, should it not say what it used.
  func setAside(wasWorkedOn: Bool) -> Settlement {
    guard isOpen else { return Settlement() }
    isOpen = false
    let attempt = priced(Self.settlement(of: answer, input: size, wasSent: wasWorkedOn))
    earlier += attempt
    return attempt
  }

  /// With what it costs by the prices of the model at hand.
  func priced(_ settlement: Settlement) -> Settlement {
    var settlement = settlement
    if !settlement.usage.isEmpty { settlement.cost = provider.price(of: model.model)?.cost(of: settlement.usage) }
    return settlement
  }

  /// Notes why somebody did not answer.
  func note(_ candidate: ModelCandidate, _ why: String) { tried.append("\(candidate.model.text) \(why)") }

  /// Gives the attempt at hand up for the next one, if there is any; false: its failure is the answer.
  ///
  /// What only the key is to blame for is tried with another key of the same provider first.
  func giveUp(_ failure: Failure, now: Int) -> Bool {
    self.failure = failure
    guard failure.mayBeMended, isRepeatable else { return false }
    let isOfKey = [.authentication, .permission, .rateLimited, .quota].contains(failure.kind)
    if isOfKey, keyChanges < Self.mostKeyChanges, case .key = provider.key(for: model.model, now: now) {
      keyChanges += 1
      waiting.append(ModelCandidate(provider: provider, model: model))
    }
    isGivenUp = hasNext
    return isGivenUp
  }

  private static let mostKeyChanges = 3

  /// Draws the conclusions from a failed answer for the key that was used.
  func learn(_ failure: Failure, _ hint: RetryHint, now: Int) {
    retryAfter = hint.seconds ?? 0
    guard let key else { return }
    let rest = provider.settings.keyRest
    switch failure.kind {
    case .authentication: provider.block(key, for: nil, until: now + rest.refused, now: now)
    // The key may be good for other models: only this one is known to be barred.
    case .permission: provider.block(key, for: model.model, until: now + rest.refused, now: now)
    case .rateLimited, .quota:
      let wait = hint.milliseconds.map { $0 * 1_000_000 } ?? rest.limited
      provider.block(key, for: model.model, until: now + wait, now: now)
    default: break
    }
  }

  /// The timeouts of an attempt. How long a whole answer takes depends on its length: its tokens are not waited for.
  func bound(_ timeouts: CallTimeouts) -> CallTimeouts {
    var timeouts = timeouts
    if let connect = self.timeouts.connect { timeouts.connect = connect }
    if request.streams {
      if let first = self.timeouts.firstToken { timeouts.firstByte = first }
      if let between = self.timeouts.betweenTokens { timeouts.idle = between }
    }
    return timeouts
  }
}
