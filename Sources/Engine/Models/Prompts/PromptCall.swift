import AI
import Foreign
import JSON
import Kernel
import PluginKit
import Telemetry

/// One call of a prompt, from its inputs to its output.
final class PromptCall {
  /// How it ended, for metrics.
  enum Outcome: String {
    case answered, repaired, cached, invalid, rejected, failed
  }

  let version: PromptVersion
  private let answers: ModelAnswerStore
  private var values: [String: PromptValue] = [:]
  private var key: SHA256Digest?
  private var isRepairing = false
  /// The repaired request, once there is one.
  private(set) var repair: ModelRequest?
  var outcome = Outcome.failed

  init(_ version: PromptVersion, _ answers: ModelAnswerStore) {
    self.version = version
    self.answers = answers
  }

  /// The prompt with its version, for the call log.
  var label: String { version.label }

  /// The model's request; nil when it cannot be made.
  func begin(_ values: [String: PromptValue], consumer: String?) -> ModelRequest? {
    self.values = values
    let body = version.request(values)
    if let cache = version.settings.cache {
      let owner = cache.isShared ? "*" : consumer.map { "=\($0)" } ?? ""
      let text = Array("prompt\u{0}\(version.label)\u{0}\(owner)\u{0}".utf8) + body
      key = SHA256.digest(of: text.span)
    }
    return try? ModelRequest(.chat, body: body)
  }

  /// What was answered to the same inputs before, if that may be given again.
  func kept(now: Int) -> PromptOutput? {
    guard let key, let output = answers.find(key, now: now) as? PromptOutput else { return nil }
    outcome = .cached
    return output
  }

  enum Step {
    case output(PromptOutput)
    /// The model is to answer once more.
    case again
    case invalid
  }

  /// Takes a model's whole answer, in the dialect of the request.
  func take(_ answer: [UInt8], now: Int) -> Step {
    let message = (try? JSONElement(parsing: answer))?["choices"]?.elements.first?["message"]
    // Some models write pieces, thoughts among them.
    let pieces = message?["content"]?.elements.filter { $0["type"]?.string == "text" }
    let text = message?["content"]?.string ?? pieces?.compactMap { $0["text"]?.string }.joined() ?? ""
    switch version.check(text) {
    case .right(let body):
      let output = PromptOutput(body)
      outcome = isRepairing ? .repaired : .answered
      if let key, let ttl = version.settings.cache?.ttl { answers.insert(output, key, until: now + ttl) }
      return .output(output)
    case .wrong(let mistakes):
      outcome = .invalid
      guard !isRepairing, version.settings.output != nil else { return .invalid }
      isRepairing = true
      repair = try? ModelRequest(.chat, body: version.request(values, repair: (text, mistakes)))
      return repair == nil ? .invalid : .again
    }
  }
}

/// The output of a prompt, as callers get it.
final class PromptOutput: KeptAnswer {
  let body: [UInt8]
  var size: Int { body.count }

  init(_ body: [UInt8]) { self.body = body }
}

extension WorkerMetrics {
  /// Counts a call of a prompt with what its model used.
  func observe(_ prompt: PromptCall, _ call: ConversationCall?) {
    let labels = [prompt.version.promptName, prompt.version.name]
    shard.add(shard.series(.promptCalls, labels + [prompt.outcome.rawValue]), 1)
    guard let call, !call.settlement.usage.isEmpty else { return }
    shard.add(shard.series(.promptTokens, labels + ["input"]), call.settlement.usage.input)
    shard.add(shard.series(.promptTokens, labels + ["output"]), call.settlement.usage.output)
    if let cost = call.cost { shard.add(shard.series(.promptCost, labels), cost) }
  }
}
