public import Configuration
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
  public struct Settings: Sendable {
    enum Mode: String, Sendable, CaseIterable { case exact }

    var mode = Mode.exact
    var ttl = Nanoseconds.minutes(10)
    var temperature: String?
    var isShared = false
    var size = 64 << 20
    var object = 1 << 20
    var name: String?

    var label: String { name ?? "ai_cache" }
    /// A request that says no temperature has its provider's, which is drawn.
    var highest: Double? { temperature.flatMap(Double.init) }
  }

  public static let section = Section(
    "ai_cache", Settings(), "Answers calls of models with what was answered to the same call before.", shorthand: "ttl",
    [
      Keyword("mode", \.mode, .choice, "exact: to the same request, but for spaces and the order of members."),
      Keyword("ttl", \.ttl, .duration(in: .seconds(1) ... .hours(24 * 30)), "How long an answer is given again."),
      Keyword("when", \.self, .section(when), "Which calls are answered so; unset: all."),
      Keyword("shared", \.isShared, .boolean, "Whether one consumer gets what another was answered."),
      Keyword("size", \.size, .size(in: (1 << 16)...(1 << 36)), "Memory for all answers together."),
      Keyword("object", \.object, .size(in: 1...(8 << 20)), "The longest answer that is kept."),
      Keyword("name", \.name, .limitName, "What it is called in metrics; unset: ai_cache."),
    ])

  private static let when = Section(
    "when", Settings(), "Which calls are answered from the cache.",
    [
      Keyword(
        "temperature", \.temperature, .temperature,
        "The highest temperature that a call may say; one that says none is drawn, and not kept.")
    ])

  public static let metrics = [calls, dropped, held]
  private static let calls = PluginMetric(
    "sluice_ai_cache_calls", .counter, labels: ["cache", "result"],
    "Calls of models that ai_cache saw; result is hit, miss, or bypass: a call that it does not answer.")
  private static let dropped = PluginMetric(
    "sluice_ai_cache_evictions", .counter, labels: ["cache"], "Answers that went to make room for others.")
  private static let held = PluginMetric("sluice_ai_cache_bytes", .gauge, labels: ["cache"], "Memory of kept answers.")

  /// What the workers share.
  public struct Shared: Sendable {
    let settings: Settings
    let store: ModelAnswerStore
  }

  public static func share(_ settings: Settings) throws(PluginError) -> Shared {
    Shared(settings: settings, store: ModelAnswerStore(capacity: settings.size))
  }

  private let settings: Settings
  private let store: ModelAnswerStore
  private let services: any WorkerServices
  private let hits, misses, bypassed, evictions, bytes: PluginCounter

  public init(_ shared: Shared, _ services: any WorkerServices) {
    settings = shared.settings
    store = shared.store
    self.services = services
    hits = services.counter(Self.calls, [settings.label, "hit"])
    misses = services.counter(Self.calls, [settings.label, "miss"])
    bypassed = services.counter(Self.calls, [settings.label, "bypass"])
    evictions = services.counter(Self.dropped, [settings.label])
    bytes = services.counter(Self.held, [settings.label])
  }
}

extension AICache: ModelCallHook {
  public func onModelCall(_ call: ModelCall, _ exchange: inout Exchange) async -> Verdict {
    guard isAnswered(call), let canonical = call.canonical else {
      bypassed.add()
      return .proceed
    }
    let key = key(canonical, call, exchange.consumer, "call")
    if let kept = store.find(key, now: services.now) as? GivenAnswer {
      hits.add()
      exchange.cacheUse = .hit
      exchange.response.begin(status: 200)
      exchange.response.addHeader("Content-Type", kept.contentType)
      let body = kept.body
      exchange.response.body.append(body.span)
      return .respond
    }
    let content = call.content.map { self.key($0, call, exchange.consumer, "content\u{0}\(call.asked)") }
    if let content, let kept = store.find(content, now: services.now) {
      hits.add()
      exchange.cacheUse = .hit
      call.answer(with: kept)
      return .proceed
    }
    misses.add()
    exchange.cacheUse = .miss
    call.keepAnswer { [self] answer in keep(answer, key) }
    if let content { call.keepContent { [self] answer in keep(answer, content) } }
    return .proceed
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
  }
}
