import JSON
import Kernel

/// How one of Anthropic's models is told how much to think: newer ones by an effort, older ones by so many tokens.
///
/// (https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking, …/effort)
struct ThinkingPlan {
  enum Thinking: Equatable { case adaptive, disabled, tokens(Int) }

  private(set) var thinking: Thinking?
  private(set) var effort: String?

  init(_ conversation: Conversation, _ lost: inout Inexpressible) {
    let model = ClaudeModel(conversation.model)
    switch conversation.reasoning {
    case nil: break
    case .off: thinking = .disabled
    case .automatic: if model.thinksByEffort { thinking = .adaptive } else { lost.add(.reasoning) }
    case .budget(let tokens): if model.decidesAlone { lost.add(.reasoning) } else { thinking = .tokens(tokens) }
    case .effort(let word) where !model.thinksByEffort:
      thinking = Self.tokens(for: word, conversation).map { .tokens($0) }
      if thinking == nil { lost.add(.reasoning) }
    case .effort(let word) where Self.efforts.contains(word):
      effort = word
      // An effort counts without thoughts too, and they go with neither of these.
      let draws = conversation.drawsOtherwise && !model.decidesAlone
      thinking = conversation.forcesTool || draws ? nil : .adaptive
    case .effort: lost.add(.reasoning)
    }
  }

  var isEmpty: Bool { thinking == nil && effort == nil }

  /// Writes the member `thinking`, if there is one.
  func write(shows: Bool, into json: inout JSONWriter) {
    guard let thinking else { return }
    json.object("thinking") {
      switch thinking {
      case .disabled: $0.member("type", "disabled")
      case .adaptive:
        $0.member("type", "adaptive")
        if shows { $0.member("display", "summarized") }
      case .tokens(let tokens):
        $0.member("type", "enabled")
        $0.member("budget_tokens", tokens)
      }
    }
  }

  private static let efforts: Set<String> = ["low", "medium", "high", "xhigh", "max"]

  /// What an effort is in tokens, for models that know no efforts: as Google says it of its own such models
  /// (https://ai.google.dev/gemini-api/docs/openai). Nil where it cannot be said, as there is no room for thoughts.
  private static func tokens(for effort: String, _ conversation: Conversation) -> Int? {
    if conversation.forcesTool || conversation.drawsOtherwise { return nil }
    guard let tokens = Generate.budgets[effort] else { return nil }
    let room = (conversation.sampling.maxTokens ?? Messages.defaultMaxTokens(thinking: 0)) / 2
    return room < fewest ? nil : min(tokens, room)
  }

  /// The provider takes no fewer.
  private static let fewest = 1024
}

extension Conversation {
  /// Whether the model must call a tool.
  fileprivate var forcesTool: Bool {
    switch toolChoice {
    case .required, .tool: !tools.isEmpty
    case nil, .auto, ToolChoice.none?: false
    }
  }

  /// Whether the next token is drawn in another way than the model's own.
  fileprivate var drawsOtherwise: Bool { sampling.temperature != nil || sampling.topK != nil }
}
