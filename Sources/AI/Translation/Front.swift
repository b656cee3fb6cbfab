public import JSON
import Kernel

/// A dialect that clients speak.
public enum Front: String, Sendable, CaseIterable {
  /// OpenAI's Chat Completions.
  case chat
  /// Anthropic's Messages.
  case messages
  /// OpenAI's Responses.
  case responses
  /// Gemini's generateContent.
  case generate

  /// Reads a request; what no other dialect has is noted.
  func read(_ body: JSONElement, _ losses: inout Losses) throws(Refusal) -> Conversation {
    do { try body.requireUniqueNames() } catch { throw Refusal(nil, "The body has \(error.problem.rawValue).") }
    return switch self {
    case .chat: try Chat.read(body, &losses)
    case .messages: try Messages.read(body, &losses)
    case .responses: try Responses.read(body, &losses)
    case .generate: try Generate.read(body, &losses)
    }
  }

  public func write(_ answer: Answer, into json: inout JSONWriter) {
    switch self {
    case .chat: Chat.write(answer, into: &json)
    case .messages: Messages.write(answer, into: &json)
    case .responses: Responses.write(answer, into: &json)
    case .generate: Generate.write(answer, into: &json)
    }
  }

  public func write(_ failure: Failure, into json: inout JSONWriter) {
    switch self {
    case .chat, .responses: Chat.write(failure, into: &json)
    case .messages: Messages.write(failure, into: &json)
    case .generate: Generate.write(failure, into: &json)
    }
  }

  func makeWriter(_ head: AnswerHead, showsUsage: Bool) -> any StreamWriter {
    switch self {
    case .chat: Chat.Writer(head, showsUsage: showsUsage)
    case .messages: Messages.Writer(head)
    case .responses: Responses.Writer(head)
    case .generate: Generate.Writer(head)
    }
  }

  /// What this dialect calls a feature, for messages about it.
  // long: one table
  func name(of feature: Feature) -> String {
    switch (feature, self) {
    case (.message(let place, let what), .generate): "contents[\(place)] (\(what))"
    case (.message(let place, let what), .responses): "input[\(place)] (\(what))"
    case (.message(let place, let what), _): "messages[\(place)] (\(what))"
    case (.topK, .generate): "generationConfig.topK"
    case (.topP, .generate): "generationConfig.topP"
    case (.temperature, .generate): "generationConfig.temperature"
    case (.frequencyPenalty, .generate): "generationConfig.frequencyPenalty"
    case (.presencePenalty, .generate): "generationConfig.presencePenalty"
    case (.seed, .generate): "generationConfig.seed"
    case (.stop, .generate): "generationConfig.stopSequences"
    case (.maxTokens, .generate): "generationConfig.maxOutputTokens"
    case (.format, .generate): "generationConfig.responseMimeType"
    case (.reasoning, .generate): "generationConfig.thinkingConfig"
    case (.shownThoughts, .generate): "generationConfig.thinkingConfig.includeThoughts"
    case (.shownThoughts, .messages): "thinking.display"
    case (.shownThoughts, _): "reasoning.summary"
    case (.toolChoice, .generate), (.parallelTools, .generate): "toolConfig"
    case (.strictTools, .generate), (.user, .generate): "tools"
    case (.topK, _): "top_k"
    case (.topP, _): "top_p"
    case (.temperature, _): "temperature"
    case (.frequencyPenalty, _): "frequency_penalty"
    case (.presencePenalty, _): "presence_penalty"
    case (.seed, _): "seed"
    case (.stop, .chat), (.stop, .responses): "stop"
    case (.stop, .messages): "stop_sequences"
    case (.maxTokens, .chat): "max_completion_tokens"
    case (.maxTokens, .responses): "max_output_tokens"
    case (.maxTokens, .messages): "max_tokens"
    case (.format, .chat): "response_format"
    case (.format, .responses): "text.format"
    case (.format, .messages): "output_config.format"
    case (.reasoning, .chat): "reasoning_effort"
    case (.reasoning, .responses): "reasoning.effort"
    case (.reasoning, .messages): "thinking"
    case (.parallelTools, .chat), (.parallelTools, .responses): "parallel_tool_calls"
    case (.parallelTools, .messages): "tool_choice.disable_parallel_tool_use"
    case (.toolChoice, _): "tool_choice"
    case (.strictTools, _): "tools.strict"
    case (.user, .chat), (.user, .responses): "user"
    case (.user, .messages): "metadata.user_id"
    case (.safetyIdentifier, _): "safety_identifier"
    }
  }
}
