import JSON

extension Converse {
  static func readAnswer(_ body: JSONElement) throws(Refusal) -> Answer {
    var answer = Answer()
    let message = try body.requireMember("output").requireMember("message")
    for block in try message.requireMember("content").requireArray() {
      if let part = try readBlock(block) { answer.parts.append(part) }
    }
    answer.finish = try finish(body)
    if let usage = body["usage"] { answer.usage = readUsage(usage) }
    return answer
  }

  private static func readBlock(_ block: JSONElement) throws(Refusal) -> Part? {
    if let text = try block.optionalString("text") { return .text(text) }
    if let use = block["toolUse"] {
      return .toolCall(
        ToolCall(
          id: try use.requireString("toolUseId"), name: try use.requireString("name"),
          arguments: try use.requireMember("input").requireObjectLiteral()))
    }
    guard let reasoning = block["reasoningContent"] else { return nil }
    if let text = reasoning["reasoningText"] {
      return .reasoning(.text(try text.requireString("text"), signature: try text.optionalString("signature")))
    }
    return try reasoning.optionalString("redactedContent").map { .reasoning(.opaque($0)) }
  }

  /// Why an answer ended; an error where that leaves it without use.
  static func finish(_ body: JSONElement) throws(Refusal) -> Finish {
    switch try body.requireString("stopReason") {
    case "tool_use": return Finish(.toolCalls)
    case "max_tokens", "model_context_window_exceeded": return Finish(.length)
    // Which of them it met is not said.
    case "stop_sequence": return Finish(.stop, sequence: "")
    case "guardrail_intervened", "content_filtered", "refusal": return Finish(.filtered)
    case "malformed_model_output", "malformed_tool_use":
      throw .expected("how an answer ends", at: try body.requireMember("stopReason"))
    default: return Finish(.stop)
    }
  }

  /// What was read from the cache or written to it is counted apart from the rest of the prompt.
  static func readUsage(_ usage: JSONElement) -> Usage {
    let cached = Usage.count(usage["cacheReadInputTokens"])
    let written = Usage.count(usage["cacheWriteInputTokens"])
    return Usage(
      input: Usage.count(usage["inputTokens"]) + cached + written, cachedInput: cached, writtenInput: written,
      output: Usage.count(usage["outputTokens"]))
  }

  static func readFailure(_ body: JSONElement, status: Int) -> Failure? {
    guard let message = body["message"]?.string ?? body["Message"]?.string else { return nil }
    return Failure(status == 424 ? .server : Failure.kind(ofStatus: status), message, status: status)
  }

  /// What the name of an exception means; nil when it is none.
  static func kind(ofException name: String) -> Failure.Kind? {
    switch name {
    case "throttlingException": .rateLimited
    case "validationException": .invalidRequest
    case "accessDeniedException": .permission
    case "serviceUnavailableException": .overloaded
    case "modelTimeoutException": .timeout
    default: name.hasSuffix("Exception") ? .server : nil
    }
  }

  /// Reads the messages of ConverseStream; `metadata` is the last.
  struct Reader: StreamReader {
    private var hasBegun = false
    private(set) var isComplete = false

    mutating func read(_ name: String, _ data: [UInt8], into events: inout [Event]) throws(Failure) {
      let body = try parse(data)
      if let kind = Converse.kind(ofException: name) {
        throw Failure(kind, body["message"]?.string ?? body["Message"]?.string ?? "The provider gave no reason.")
      }
      do { try take(name, body, into: &events) } catch { throw .malformedAnswer }
    }

    private mutating func take(_ name: String, _ body: JSONElement, into events: inout [Event]) throws(Refusal) {
      if !hasBegun {
        hasBegun = true
        events.append(.begin(AnswerHead()))
      }
      switch name {
      case "contentBlockStart":
        guard let use = body["start"]?["toolUse"] else { return }
        events.append(.toolCall(id: try use.requireString("toolUseId"), name: try use.requireString("name")))
      case "contentBlockDelta": try take(delta: try body.requireMember("delta"), into: &events)
      case "messageStop": events.append(.finish(try Converse.finish(body)))
      case "metadata":
        if let usage = body["usage"] { events.append(.usage(Converse.readUsage(usage))) }
        isComplete = true
        events.append(.end)
      // `messageStart`, `contentBlockStop`, and what later versions add.
      default: break
      }
    }

    private func take(delta: JSONElement, into events: inout [Event]) throws(Refusal) {
      if let text = try delta.optionalString("text"), !text.isEmpty { events.append(.text(text)) }
      if let input = try delta["toolUse"]?.optionalString("input"), !input.isEmpty {
        events.append(.toolArguments(input))
      }
      guard let reasoning = delta["reasoningContent"] else { return }
      if let text = try reasoning.optionalString("text"), !text.isEmpty { events.append(.reasoning(text)) }
      if let signature = try reasoning.optionalString("signature") { events.append(.reasoningSignature(signature)) }
      if let data = try reasoning.optionalString("redactedContent") { events.append(.opaqueReasoning(data)) }
    }
  }
}
