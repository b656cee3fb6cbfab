/// How a server of Chat Completions is not OpenAI's.
public struct ChatVariant: Sendable, Equatable {
  /// Where a server says, and is told, what its model thought: OpenAI's own dialect has no word for it.
  public enum Thoughts: String, Sendable, CaseIterable {
    /// A text, as DeepSeek has it (https://api-docs.deepseek.com/guides/thinking_mode).
    case reasoningContent = "reasoning_content"
    /// A text, as vLLM has it (https://docs.vllm.ai/en/latest/features/reasoning_outputs).
    case reasoning
    /// A list with signatures, as OpenRouter has it (https://openrouter.ai/docs/use-cases/reasoning-tokens).
    case details = "reasoning_details"
    /// Pieces of the content, as Mistral has them (https://docs.mistral.ai/capabilities/reasoning).
    case pieces = "thinking"
    case none
  }

  public var thoughts: Thoughts
  /// Whether it has Mistral's words for the limit of tokens and the seed, none for the user, and says the usage of a stream
  /// unasked: it refuses members that it does not know (https://docs.mistral.ai/api).
  public var isMistrals: Bool

  public init(thoughts: Thoughts = .none, isMistrals: Bool = false) {
    self.thoughts = thoughts
    self.isMistrals = isMistrals
  }
}
