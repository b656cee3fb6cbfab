import JSON
import Kernel

extension Chat {
  /// Writes a request to a provider that speaks this dialect.
  static func write(_ conversation: Conversation, into json: inout JSONWriter, _ lost: inout Inexpressible) {
    let words = conversation.variant.words
    let isMistrals = words == .mistral
    lost.add(.topK, if: conversation.sampling.topK)
    if isMistrals { lost.add(conversation.userField, if: conversation.user) }
    json.object {
      $0.member("model", conversation.model)
      writeMessages(conversation, into: &$0, &lost)
      writeTools(conversation, into: &$0)
      if let format = conversation.format { write(format, into: &$0) }
      write(conversation.sampling, words, into: &$0)
      switch conversation.reasoning {
      case nil, .automatic: break
      case .off: $0.member("reasoning_effort", "none")
      case .effort(let effort): $0.member("reasoning_effort", effort)
      case .budget: lost.add(.reasoning)
      }
      if conversation.showsThoughts, conversation.variant.thoughts == .none, !conversation.hasBudget {
        lost.add(.shownThoughts)
      }
      if !isMistrals { $0.member("user", ifPresent: conversation.user) }
      for member in conversation.chatMembers { $0.member(member.name, literal: member.literal) }
      if conversation.streams {
        $0.member("stream", true)
        // Nobody could be charged otherwise; who did not ask for it is not shown it.
        if !isMistrals { $0.object("stream_options") { $0.member("include_usage", true) } }
      }
    }
  }

  private static func write(_ sampling: Sampling, _ words: ChatVariant.Words, into json: inout JSONWriter) {
    json.member("temperature", sampling.temperature)
    json.member("top_p", sampling.topP)
    json.member("frequency_penalty", sampling.frequencyPenalty)
    json.member("presence_penalty", sampling.presencePenalty)
    json.member(words == .mistral ? "random_seed" : "seed", sampling.seed)
    // OpenAI's newer models refuse the one, and others pass over the other, and write as much as they like.
    json.member(words == .openai ? "max_completion_tokens" : "max_tokens", ifPresent: sampling.maxTokens)
    if !sampling.stop.isEmpty { json.array("stop") { for stop in sampling.stop { $0.value(stop) } } }
  }

  private static func writeTools(_ conversation: Conversation, into json: inout JSONWriter) {
    if !conversation.tools.isEmpty {
      json.array("tools") {
        for tool in conversation.tools {
          $0.object {
            $0.member("type", "function")
            $0.object("function") {
              $0.member("name", tool.name)
              $0.member("description", ifPresent: tool.description)
              if let schema = tool.schema { $0.member("parameters", literal: schema) }
              $0.member("strict", ifPresent: tool.isStrict)
            }
          }
        }
      }
    }
    switch conversation.toolChoice {
    case nil: break
    case .auto: json.member("tool_choice", "auto")
    case .some(.none): json.member("tool_choice", "none")
    case .required: json.member("tool_choice", "required")
    case .tool(let name):
      json.object("tool_choice") {
        $0.member("type", "function")
        $0.object("function") { $0.member("name", name) }
      }
    }
    json.member("parallel_tool_calls", ifPresent: conversation.parallelTools)
  }

  private static func write(_ format: ResponseFormat, into json: inout JSONWriter) {
    json.object("response_format") {
      switch format {
      case .json: $0.member("type", "json_object")
      case .schema(let name, let description, let schema, let isStrict):
        $0.member("type", "json_schema")
        $0.object("json_schema") {
          $0.member("name", name ?? "answer")
          $0.member("description", ifPresent: description)
          $0.member("schema", literal: schema)
          $0.member("strict", ifPresent: isStrict)
        }
      }
    }
  }
}
