import JSON
import Kernel

/// A dialect that providers speak.
public enum Back: String, Sendable, CaseIterable {
  /// OpenAI's Chat Completions, and everything compatible.
  case openai
  /// Anthropic's Messages.
  case anthropic
  /// Gemini's generateContent.
  case gemini
  /// Amazon Bedrock's Converse.
  case bedrock

  /// The front whose bytes it takes as they are; nil when no client speaks it.
  public var native: Front? {
    switch self {
    case .openai: .chat
    case .anthropic: .messages
    case .gemini: .generate
    case .bedrock: nil
    }
  }

  func write(_ conversation: Conversation, into json: inout JSONWriter, _ lost: inout Inexpressible) {
    switch self {
    case .openai: Chat.write(conversation, into: &json, &lost)
    case .anthropic: Messages.write(conversation, into: &json, &lost)
    case .gemini: Generate.write(conversation, into: &json, &lost)
    case .bedrock: Converse.write(conversation, into: &json, &lost)
    }
  }

  func readAnswer(_ body: JSONElement) throws(Refusal) -> Answer {
    switch self {
    case .openai: try Chat.readAnswer(body)
    case .anthropic: try Messages.readAnswer(body)
    case .gemini: try Generate.readAnswer(body)
    case .bedrock: try Converse.readAnswer(body)
    }
  }

  func readFailure(_ body: JSONElement, status: Int) -> Failure? {
    switch self {
    case .openai: Chat.readFailure(body, status: status)
    case .anthropic: Messages.readFailure(body, status: status)
    case .gemini: Generate.readFailure(body, status: status)
    case .bedrock: Converse.readFailure(body, status: status)
    }
  }

  func makeReader() -> any StreamReader {
    switch self {
    case .openai: Chat.Reader()
    case .anthropic: Messages.Reader()
    case .gemini: Generate.Reader()
    case .bedrock: Converse.Reader()
    }
  }
}
