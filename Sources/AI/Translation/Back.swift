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
  /// OpenAI's Responses, which are asked for by their own clients alone.
  case responses

  /// The front whose bytes it takes as they are; nil when no client speaks it.
  public var native: Front? {
    switch self {
    case .openai: .chat
    case .anthropic: .messages
    case .gemini: .generate
    case .bedrock: nil
    case .responses: .responses
    }
  }

  func write(_ conversation: Conversation, into json: inout JSONWriter, _ lost: inout Inexpressible) {
    switch self {
    case .openai: Chat.write(conversation, into: &json, &lost)
    case .anthropic: Messages.write(conversation, into: &json, &lost)
    case .gemini: Generate.write(conversation, into: &json, &lost)
    case .bedrock: Converse.write(conversation, into: &json, &lost)
    // Nothing is translated into it: `prepare` says so.
    case .responses: break
    }
  }

  func readAnswer(_ body: JSONElement) throws(Refusal) -> Answer {
    switch self {
    case .openai: try Chat.readAnswer(body)
    case .anthropic: try Messages.readAnswer(body)
    case .gemini: try Generate.readAnswer(body)
    case .bedrock: try Converse.readAnswer(body)
    case .responses: try Responses.readAnswer(body)
    }
  }

  /// What an answer counts that has the shape of one, and may say more than is known here; nil for what is none.
  func usage(ofAnswer body: JSONElement) -> Usage? {
    switch self {
    case .openai where body["choices"]?.elements.isEmpty == false: Chat.readUsage(body["usage"] ?? body)
    case .anthropic where body["content"]?.isArray == true: body["usage"].map(Messages.usage) ?? Usage()
    case .gemini where body["candidates"]?.elements.isEmpty == false: Generate.readUsage(body["usageMetadata"] ?? body)
    case .openai, .anthropic, .gemini, .bedrock, .responses: nil
    }
  }

  /// Whether an event has the shape of one of this dialect's that says something of an answer.
  func isEvent(_ event: JSONElement) -> Bool {
    switch self {
    case .openai:
      let deltas = event["choices"]?.elements.map { $0["delta"] } ?? []
      return !deltas.isEmpty
        && deltas.allSatisfy { delta in
          guard let delta, delta.isObject else { return false }
          return delta["content"].map { $0.isString || $0.isArray } ?? true
        }
    case .anthropic:
      return event["type"]?.isString == true && (event["delta"] ?? event["content_block"])?.isObject == true
    case .gemini:
      let candidates = event["candidates"]?.elements ?? []
      return !candidates.isEmpty && candidates.allSatisfy { $0["content"]?.isObject ?? ($0["finishReason"] != nil) }
    case .bedrock: return false
    case .responses: return event["type"]?.string?.hasPrefix("response.") == true
    }
  }

  func readFailure(_ body: JSONElement, status: Int) -> Failure? {
    switch self {
    case .openai, .responses: Chat.readFailure(body, status: status)
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
    case .responses: Responses.Reader()
    }
  }
}
