import AI
import PluginKit
import Telemetry

extension Worker {
  /// What the call log says of a call of a model.
  func append(_ call: ConversationCall, sent: Int, to log: CallLogQueue) {
    log.append(.model, text: call.asked)
    if !call.isKept {
      log.append(.provider, text: call.model.provider)
      log.append(.providerModel, text: call.model.model)
    }
    if !call.tried.isEmpty { log.append(.tried, text: call.tried.joined(separator: ", ")) }
    if let finish = call.answer.finish { log.append(.finish, text: finish.reason.rawValue) }
    let usage = call.settlement.usage
    if !usage.isEmpty {
      if call.settlement.isEstimated { log.append(.usage, text: "estimated") }
      log.append(.inputTokens, integer: usage.input)
      if usage.cachedInput > 0 { log.append(.cachedTokens, integer: usage.cachedInput) }
      log.append(.outputTokens, integer: usage.output)
      if usage.reasoning > 0 { log.append(.reasoningTokens, integer: usage.reasoning) }
      if let cost = call.cost { log.append(.cost, integer: cost) }
    }
    if !call.said.isEmpty {
      log.append(.promptText, text: call.log.text(Array(call.said.joined(separator: "\n").utf8)))
    }
    if !call.answer.words.isEmpty { log.append(.answerText, text: call.log.text(call.answer.words)) }
    if call.firstContent > 0 { log.append(.firstToken, microseconds: call.firstContent - sent) }
  }
}

extension Worker {
  /// What it says of what was passed to a provider as it is.
  func append(_ pass: ProviderPass, to log: CallLogQueue) {
    if let asked = pass.asked { log.append(.model, text: asked) }
    log.append(.provider, text: pass.provider.settings.name)
    if let model = pass.model { log.append(.providerModel, text: model) }
    if pass.usage.isEmpty { return }
    log.append(.inputTokens, integer: pass.usage.input)
    if pass.usage.cachedInput > 0 { log.append(.cachedTokens, integer: pass.usage.cachedInput) }
    log.append(.outputTokens, integer: pass.usage.output)
    if let cost = pass.cost { log.append(.cost, integer: cost) }
  }
}

extension WorkerMetrics {
  /// A model counts by the name that the configuration has for it, or as its provider's others: clients make up names.
  func observe(_ call: ConversationCall, _ slot: ExchangeSlot) {
    if call.isKept { return }
    let series = series(of: call)
    let times = slot.exchange.times
    observeDuration(slot, series)
    if call.request.streams, call.firstContent > 0 {
      shard.observe(series.firstChunk, nanoseconds: call.firstContent - times.sent)
    }
    count(call.last, of: call)
  }

  /// What was passed as it is counts by the same rule; files are of no model.
  func observe(_ pass: ProviderPass, _ slot: ExchangeSlot) {
    let name = pass.isConfigured ? pass.asked : nil
    let series = series(
      pass.asked == nil ? "files" : "realtime", provider: pass.provider.settings.name,
      model: name ?? MetricShard.other)
    observeDuration(slot, series)
    if pass.usage.isEmpty { return }
    shard.observe(series.input, count: pass.usage.input)
    shard.observe(series.output, count: pass.usage.output)
    if let cost = pass.cost { shard.add(series.cost, cost) }
  }

  private func observeDuration(_ slot: ExchangeSlot, _ series: ModelSeries) {
    let times = slot.exchange.times
    let error = slot.account.status >= 400 ? "\(slot.account.status)" : slot.exchange.fault.map { "\($0.reason)" } ?? ""
    let duration = error.isEmpty ? series.duration : shard.series(.modelDuration, series.labels + [error])
    shard.observe(duration, nanoseconds: times.ended - times.received)
  }

  /// Counts what an attempt used, at the model at hand.
  func count(_ settlement: ConversationCall.Settlement, of call: ConversationCall) {
    let usage = settlement.usage
    if usage.isEmpty { return }
    let series = series(of: call)
    if settlement.isEstimated { shard.add(series.estimates, 1) }
    shard.observe(series.input, count: usage.input)
    shard.observe(series.output, count: usage.output)
    if let cost = settlement.cost { shard.add(series.cost, cost) }
  }

  private func series(of call: ConversationCall) -> ModelSeries {
    series(
      call.request.operationName, provider: call.model.provider,
      model: call.isConfigured ? call.asked : MetricShard.other)
  }

  private func series(_ operation: String, provider: String, model: String) -> ModelSeries {
    let key = ModelSeries.Key(operation: operation, provider: provider, model: model)
    if let known = models[key] { return known }
    let made = ModelSeries(key, shard)
    models[key] = made
    return made
  }

  /// Counts the time that each piece of a stream took to come after the one before it.
  func observeChunks(_ call: ConversationCall, now: Int) {
    let count = call.answer.chunks - call.pace.chunks
    if count <= 0 { return }
    let series = call.pace.series ?? series(of: call).chunk
    // The first of all waits for the model to begin, which is another metric.
    if call.pace.chunks > 0 { shard.observe(series, nanoseconds: now - call.pace.last) }
    for _ in 1..<count { shard.observe(series, nanoseconds: 0) }
    call.pace = ConversationCall.Pace(chunks: call.answer.chunks, last: now, series: series)
  }
}

extension ConversationCall {
  /// How far a stream was looked at for its pace.
  struct Pace {
    var chunks = 0
    /// Monotonic nanoseconds when the last piece came.
    var last = 0
    var series: SeriesIndex?
  }
}

/// Where a model's numbers are kept, each found when it is first counted.
final class ModelSeries {
  struct Key: Hashable {
    /// `gen_ai.operation.name`.
    let operation: String
    let provider: String
    /// As the configuration calls it.
    let model: String
  }

  let labels: [String]
  private let modelLabels: [String]
  private let shard: MetricShard

  init(_ key: Key, _ shard: MetricShard) {
    modelLabels = [key.provider, key.model]
    labels = [key.operation] + modelLabels
    self.shard = shard
  }

  /// Of calls that went well.
  private(set) lazy var duration = shard.series(.modelDuration, labels + [""])
  private(set) lazy var firstChunk = shard.series(.modelFirstChunk, labels)
  private(set) lazy var chunk = shard.series(.modelChunk, labels)
  private(set) lazy var input = shard.series(.modelTokens, labels + ["input"])
  private(set) lazy var output = shard.series(.modelTokens, labels + ["output"])
  private(set) lazy var estimates = shard.series(.modelEstimates, modelLabels)
  private(set) lazy var cost = shard.series(.modelCost, modelLabels)
}

extension ProviderRequest {
  /// What is asked, in the words of the conventions (https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics);
  /// for what they have none, by its path.
  fileprivate var operationName: String {
    guard let operation else { return front == .generate ? "generate_content" : "chat" }
    return operation.embeds ? "embeddings" : String(operation.path.dropFirst()).replacing("/", with: "_")
  }
}
