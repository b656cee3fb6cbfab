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

  /// The front whose bytes it takes as they are.
  public var native: Front {
    switch self {
    case .openai: .chat
    case .anthropic: .messages
    case .gemini: .generate
    }
  }

  func write(_ conversation: Conversation, into json: inout JSONWriter, _ lost: inout Inexpressible) {
    switch self {
    case .openai: Chat.write(conversation, into: &json, &lost)
    case .anthropic: Messages.write(conversation, into: &json, &lost)
    case .gemini: Generate.write(conversation, into: &json, &lost)
    }
  }

  func readAnswer(_ body: JSONElement) throws(Refusal) -> Answer {
    switch self {
    case .openai: try Chat.readAnswer(body)
    case .anthropic: try Messages.readAnswer(body)
    case .gemini: try Generate.readAnswer(body)
    }
  }

  func readFailure(_ body: JSONElement, status: Int) -> Failure? {
    switch self {
    case .openai: Chat.readFailure(body, status: status)
    case .anthropic: Messages.readFailure(body, status: status)
    case .gemini: Generate.readFailure(body, status: status)
    }
  }

  func makeReader() -> any StreamReader {
    switch self {
    case .openai: Chat.Reader()
    case .anthropic: Messages.Reader()
    case .gemini: Generate.Reader()
    }
  }
}
