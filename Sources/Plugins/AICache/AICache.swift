import Foreign
import HTTP
import Kernel
public import PluginKit

/// Answers a call of a model with what was answered to the same call before.
///
/// An answer is kept twice: as the client got it, for the same request once more, and in no dialect, for a request that asks
/// the same in another dialect, or as a stream where it was whole, or the other way. The first is given at once; the second
/// goes the way of any answer, through the guards.
public final class AICache: Plugin {
  public static let metrics = [calls, embeddings, dropped, held]
  private static let calls = PluginMetric(
    "sluice_ai_cache_calls", .counter, labels: ["cache", "result"],
    "Calls of models that ai_cache saw; result is hit, similar: a hit by what is meant, miss, or bypass: a call that it does not answer."
  )
  private static let embeddings = PluginMetric(
    "sluice_ai_cache_embeddings", .counter, labels: ["cache", "result"],
    "Questions that a semantic ai_cache wanted as vectors; result is ok, failed, or unusable: no vector, or one of another length."
  )
  private static let dropped = PluginMetric(
    "sluice_ai_cache_evictions", .counter, labels: ["cache"], "Answers that went to make room for others.")
  private static let held = PluginMetric("sluice_ai_cache_bytes", .gauge, labels: ["cache"], "Memory of kept answers.")

  /// What the workers share.
  public struct Shared: Sendable {
    let settings: Settings
    let store: ModelAnswerStore
    /// Of the mode semantic.
    let similar: SimilarAnswers?
    /// Of the store that several gateways share: how far its questions were read.
    let progress: SharedQuestions
  }

  public static func stores(of settings: Settings) -> [String] {
    settings.store == .shared ? [Settings.Store.shared.rawValue] : []
  }

  public static func share(_ settings: Settings) throws(PluginError) -> Shared {
    let isSemantic = settings.mode == .semantic
    let half = isSemantic ? settings.size / 2 : settings.size
    return Shared(
      settings: settings, store: ModelAnswerStore(capacity: half),
      similar: isSemantic ? SimilarAnswers(capacity: half, perFrame: settings.candidates) : nil,
      progress: SharedQuestions())
  }

  private let settings: Settings
  private let store: ModelAnswerStore
  private let services: any WorkerServices
  private let similar: SimilarAnswers?
  private let shared: SharedAnswers?
  private let hits, near, misses, bypassed, evictions, bytes: PluginCounter
  private let embedded, unembedded, unusable: PluginCounter

  public init(_ shared: Shared, _ services: any WorkerServices) {
    settings = shared.settings
    store = shared.store
    similar = shared.similar
    self.services = services
    let wanted = settings.store == .shared ? services.store(Settings.Store.shared.rawValue) : nil
    let answers = wanted.map { [settings = shared.settings] in SharedAnswers($0, settings, shared.progress) }
    self.shared = answers
    hits = services.counter(Self.calls, [settings.label, "hit"])
    near = services.counter(Self.calls, [settings.label, "similar"])
    misses = services.counter(Self.calls, [settings.label, "miss"])
    bypassed = services.counter(Self.calls, [settings.label, "bypass"])
    evictions = services.counter(Self.dropped, [settings.label])
    bytes = services.counter(Self.held, [settings.label])
    embedded = services.counter(Self.embeddings, [settings.label, "ok"])
    unembedded = services.counter(Self.embeddings, [settings.label, "failed"])
    unusable = services.counter(Self.embeddings, [settings.label, "unusable"])
    if let similar, let answers {
      services.start { [settings, services, evictions, bytes] in
        while (try? await services.sleep(SharedQuestions.pause)) != nil {
          let (dropped, growth) = await answers.readQuestions(
            into: similar, until: services.now + settings.ttl, now: services.now)
          evictions.add(dropped)
          bytes.add(growth)
        }
      }
    }
  }
}

extension AICache: ModelCallHook {
  public func onModelCall(_ call: ModelCall, _ exchange: inout Exchange) async -> Verdict {
    guard isAnswered(call), let canonical = call.canonical else {
      bypassed.add()
      return .proceed
    }
    let key = key(canonical, call, exchange.consumer, "call")
    if let kept = store.find(key, now: services.now) as? GivenAnswer { return give(kept, &exchange) }
    let content = call.content.map { self.key($0, call, exchange.consumer, "content\u{0}\(call.asked)") }
    if let content, let kept = store.find(content, now: services.now) { return hit(kept, call, &exchange) }
    if let verdict = await shareHit(content, key, call, &exchange) { return verdict }
    let question = await place(of: call, exchange.consumer)
    if let (place, similar) = question, let found = similar.find(place, least: settings.threshold, now: services.now),
      let kept = await answer(found.answer, call)
    {
      near.add()
      exchange.cacheUse = .hit
      exchange.cacheSimilarity = Int((Double(found.similarity) * 1000).rounded())
      call.answer(with: kept)
      return .proceed
    }
    misses.add()
    exchange.cacheUse = .miss
    call.keepAnswer { [self] answer in
      keep(answer, key)
      if content == nil { share(answer, key) }
    }
    guard let content else { return .proceed }
    call.keepContent { [self] answer in
      keep(answer, content)
      if let (place, similar) = question { keep(answer, at: place, in: similar) }
      share(answer, content, question?.0)
    }
    return .proceed
  }

  private func hit(_ kept: any KeptAnswer, _ call: ModelCall, _ exchange: inout Exchange) -> Verdict {
    hits.add()
    exchange.cacheUse = .hit
    call.answer(with: kept)
    return .proceed
  }

  private func give(_ kept: GivenAnswer, _ exchange: inout Exchange) -> Verdict {
    hits.add()
    exchange.cacheUse = .hit
    exchange.response.begin(status: 200)
    exchange.response.addHeader("Content-Type", kept.contentType)
    let body = kept.body
    exchange.response.body.append(body.span)
    return .respond
  }

  // MARK: The store of several gateways

  /// Answers with what another gateway has kept; nil when there is nothing.
  private func shareHit(
    _ content: SHA256Digest?, _ key: SHA256Digest, _ call: ModelCall, _ exchange: inout Exchange
  ) async -> Verdict? {
    guard let octets = await shared?.find(content ?? key) else { return nil }
    if content == nil { return GivenAnswer(octets: octets).map { give($0, &exchange) } }
    return call.readContent(octets).map { hit($0, call, &exchange) }
  }

  /// What was found; of another gateway's question the answer is in the store.
  private func answer(_ found: any KeptAnswer, _ call: ModelCall) async -> (any KeptAnswer)? {
    guard let elsewhere = found as? AnswerElsewhere else { return found }
    return await shared?.find(elsewhere.key).flatMap { call.readContent($0) }
  }

  private func share(_ answer: any KeptAnswer, _ key: SHA256Digest, _ place: QuestionPlace? = nil) {
    guard let shared, answer.size <= settings.object, let octets = answer.octets else { return }
    services.start { await shared.keep(octets, key, place) }
  }

  private func isAnswered(_ call: ModelCall) -> Bool {
    guard let highest = settings.highest, !call.isDetermined else { return true }
    return call.temperature.map { $0 <= highest } ?? false
  }

  /// Everything that the answer depends on. The model is that of now: a name may mean another after a reload.
  private func key(_ canonical: [UInt8], _ call: ModelCall, _ consumer: String?, _ kind: String) -> SHA256Digest {
    let owner = settings.isShared ? "*" : consumer.map { "=\($0)" } ?? ""
    let text = Array("\(kind)\u{0}\(owner)\u{0}\(call.provider)/\(call.model)\u{0}".utf8) + canonical
    return SHA256.digest(of: text.span)
  }

  // MARK: What means the same

  /// Where the call's question stands among those that agree with it in everything else; nil where nothing is to be held
  /// against it.
  private func place(of call: ModelCall, _ consumer: String?) async -> (QuestionPlace, SimilarAnswers)? {
    guard let similar, let model = settings.embed, let asker = call.asker, let question = call.question,
      question.text.utf8.count <= Self.longestQuestion
    else { return nil }
    let answer: [UInt8]
    do throws(Fault) {
      answer = try await asker.ask(
        .embeddings, Embedding.request(question.text, model: model), timeout: settings.timeout)
    } catch {
      unembedded.add()
      return nil
    }
    guard let vector = Embedding.read(answer) else {
      unusable.add()
      return nil
    }
    embedded.add()
    return (
      QuestionPlace(frame: key(question.frame, call, consumer, "frame\u{0}\(call.asked)"), vector: vector), similar
    )
  }

  /// Models that make vectors read so much at least. What one leaves out would make different questions the same.
  private static let longestQuestion = 8 << 10

  private func keep(_ answer: any KeptAnswer, at place: QuestionPlace, in similar: SimilarAnswers) {
    if answer.size > settings.object { return }
    let (dropped, growth) = similar.insert(answer, place, until: services.now + settings.ttl)
    evictions.add(dropped)
    bytes.add(growth)
  }

  private func keep(_ answer: any KeptAnswer, _ key: SHA256Digest) {
    if answer.size > settings.object { return }
    let (dropped, growth) = store.insert(answer, key, until: services.now + settings.ttl)
    evictions.add(dropped)
    bytes.add(growth)
  }
}

extension AICache: ResponseHeadHook {
  public func onResponseHead(_ exchange: inout Exchange) {
    if exchange.response.header(named: "x-cache") != nil { return }
    switch exchange.cacheUse {
    case .hit, .miss: exchange.response.addHeader("X-Cache", "\(exchange.cacheUse.word)")
    default: break
    }
    let thousandths = exchange.cacheSimilarity
    if thousandths > 0 {
      exchange.response.addHeader(
        "X-Cache-Similarity", thousandths < 1000 ? "0.\(String(thousandths + 1000).dropFirst())" : "1.000")
    }
  }
}
