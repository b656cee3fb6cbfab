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

  /// What members of a request are called.
  public enum Words: Sendable {
    /// As OpenAI calls them now: the limit of tokens is `max_completion_tokens`.
    case openai
    /// As OpenAI called them: it is `max_tokens`, and the newer name is not known, or worse, passed over.
    case older
    /// Nobody knows: what a client of the same dialect says may be right, and a translation says `max_tokens`.
    case usual
    /// `max_tokens`, `random_seed`, none for the user; other members are refused, and a stream's usage comes unasked
    /// (https://docs.mistral.ai/api).
    case mistral
  }

  public var thoughts: Thoughts
  public var words: Words

  public init(thoughts: Thoughts = .none, words: Words = .openai) {
    self.thoughts = thoughts
    self.words = words
  }
}
