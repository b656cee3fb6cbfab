import JSON
import Kernel

extension Messages {
  /// What a provider is asked for when the client said no limit: this dialect must have one. Thoughts count towards it.
  ///
  /// - Parameter thinking: how many tokens it may think, 0 for as many as it likes; nil where it is not asked to.
  static func defaultMaxTokens(thinking: Int?) -> Int {
    guard let thinking else { return 4096 }
    return max(32_000, min(max(0, thinking), Usage.most) + 4096)
  }

  static func write(_ conversation: Conversation, into json: inout JSONWriter, _ lost: inout Inexpressible) {
    let sampling = conversation.sampling
    lost.add(.frequencyPenalty, if: sampling.frequencyPenalty)
    lost.add(.presencePenalty, if: sampling.presencePenalty)
    lost.add(.seed, if: sampling.seed)
    let model = ClaudeModel(conversation.model)
    model.note(sampling, &lost)
    json.object {
      $0.member("model", conversation.model)
      $0.member("max_tokens", sampling.maxTokens ?? defaultMaxTokens(thinking: conversation.thinking))
      if !conversation.system.isEmpty {
        $0.array("system") { for text in conversation.system { writeText(text, into: &$0) } }
      }
      $0.array("messages") { writeMessages(conversation, into: &$0, &lost) }
      writeTools(conversation, into: &$0)
      writeThinking(conversation, into: &$0, &lost)
      if let temperature = sampling.temperature, model.allows(temperature) { $0.member("temperature", temperature) }
      if !model.decidesAlone {
        $0.member("top_p", sampling.topP)
        $0.member("top_k", sampling.topK)
      }
      if !sampling.stop.isEmpty { $0.array("stop_sequences") { for stop in sampling.stop { $0.value(stop) } } }
      if let user = conversation.user { $0.object("metadata") { $0.member("user_id", user) } }
      if conversation.streams { $0.member("stream", true) }
    }
  }

  private static func writeTools(_ conversation: Conversation, into json: inout JSONWriter) {
    if !conversation.tools.isEmpty {
      json.array("tools") {
        for tool in conversation.tools {
          $0.object {
            $0.member("name", tool.name)
            $0.member("description", ifPresent: tool.description)
            $0.member("input_schema", literal: tool.schema ?? #"{"type":"object"}"#)
            $0.member("strict", ifPresent: tool.isStrict)
          }
        }
      }
    }
    let choice = conversation.toolChoice ?? (conversation.parallelTools == nil ? nil : .auto)
    guard let choice, !conversation.tools.isEmpty else { return }
    json.object("tool_choice") {
      switch choice {
      case .auto: $0.member("type", "auto")
      case .none: $0.member("type", "none")
      case .required: $0.member("type", "any")
      case .tool(let name):
        $0.member("type", "tool")
        $0.member("name", name)
      }
      if choice != ToolChoice.none, let parallel = conversation.parallelTools {
        $0.member("disable_parallel_tool_use", !parallel)
      }
    }
  }

  private static func writeThinking(
    _ conversation: Conversation, into json: inout JSONWriter, _ lost: inout Inexpressible
  ) {
    let plan = ThinkingPlan(conversation, &lost)
    plan.write(shows: conversation.showsThoughts, into: &json)
    let effort = plan.effort
    var schema: String?
    switch conversation.format {
    case nil: break
    case .json: lost.add(.format)
    case .schema: schema = conversation.answerSchema
    }
    if effort == nil, schema == nil { return }
    json.object("output_config") {
      $0.member("effort", ifPresent: effort)
      if let schema {
        $0.object("format") {
          $0.member("type", "json_schema")
          $0.member("schema", literal: schema)
        }
      }
    }
  }
}
