extension Messages {
  static func readAnswer(_ body: JSONElement) throws(Refusal) -> Answer {
    var answer = Answer()
    answer.head = AnswerHead(id: try body.requireString("id"), model: try body.requireString("model"))
    var losses = Losses()
    for element in try body.requireMember("content").requireArray() {
      // Blocks of tools that Anthropic runs itself cannot come: nobody could ask for them.
      if let part = try readPart(element, &losses) { answer.parts.append(part) }
    }
    answer.finish = finish(
      try body.optionalString("stop_reason"), sequence: try body.optionalString("stop_sequence"))
    if let usage = body["usage"] { merge(usage, into: &answer.usage) }
    return answer
  }

  static func finish(_ reason: String?, sequence: String?) -> Finish {
    switch reason {
    case "max_tokens", "model_context_window_exceeded": Finish(.length)
    case "tool_use": Finish(.toolCalls)
    // Without words of the model's: its maker ended the answer.
    case "refusal": Finish(.filtered)
    case "stop_sequence": Finish(.stop, sequence: sequence)
    default: Finish(.stop)
    }
  }

  static func usage(_ usage: JSONElement) -> Usage {
    var known = Usage()
    merge(usage, into: &known)
    return known
  }

  /// Takes over the counts that are there: events of a stream say them one after the other, each in full.
  static func merge(_ usage: JSONElement, into known: inout Usage) {
    var fresh = known.input - known.cachedInput - known.writtenInput
    if let count = usage["input_tokens"] { fresh = Usage.count(count) }
    if let count = usage["cache_read_input_tokens"] { known.cachedInput = Usage.count(count) }
    if let count = usage["cache_creation_input_tokens"] { known.writtenInput = Usage.count(count) }
    if let count = usage["output_tokens"] { known.output = Usage.count(count) }
    if let count = usage["output_tokens_details"]?["thinking_tokens"] { known.reasoning = Usage.count(count) }
    known.input = fresh + known.cachedInput + known.writtenInput
  }

  static func readFailure(_ body: JSONElement, status: Int) -> Failure? {
    guard let error = body["error"], let message = error["message"]?.string else { return nil }
    let kind: Failure.Kind =
      switch error["type"]?.string {
      // The account's matter, whatever it is called.
      case "invalid_request_error" where message.contains("credit balance is too low"): .quota
      case "invalid_request_error": .invalidRequest
      case "authentication_error": .authentication
      case "billing_error": .quota
      case "permission_error": .permission
      case "not_found_error": .notFound
      case "request_too_large": .tooLarge
      case "rate_limit_error": .rateLimited
      case "overloaded_error": .overloaded
      case "timeout_error": .timeout
      default: Failure.kind(ofStatus: status)
      }
    return Failure(kind, message, status: status)
  }

  /// Reads `message_start`, `content_block_delta` and their like.
  struct Reader: StreamReader {
    private var usage = Usage()
    /// The block under way.
    private var block: Int?
    private var kind = ""
    private(set) var isComplete = false

    mutating func read(_ name: String, _ data: [UInt8], into events: inout [Event]) throws(Failure) {
      let event = try parse(data)
      if event["type"]?.string == "error" {
        throw Messages.readFailure(event, status: 0) ?? .malformedAnswer
      }
      do { try take(event, into: &events) } catch { throw .malformedAnswer }
    }

    private mutating func take(_ event: JSONElement, into events: inout [Event]) throws(Refusal) {
      switch try event.requireString("type") {
      case "message_start":
        let message = try event.requireMember("message")
        events.append(
          .begin(AnswerHead(id: try message.requireString("id"), model: try message.requireString("model"))))
        if let usage = message["usage"] { Messages.merge(usage, into: &self.usage) }
        events.append(.usage(usage))
      case "content_block_start":
        block = try event.requireMember("index").requireInteger()
        try begin(try event.requireMember("content_block"), into: &events)
      case "content_block_delta":
        guard try event.requireMember("index").requireInteger() == block else {
          throw .expected("the block under way", at: event)
        }
        try take(delta: try event.requireMember("delta"), into: &events)
      case "content_block_stop": block = nil
      case "message_delta":
        if let usage = event["usage"] { Messages.merge(usage, into: &self.usage) }
        let delta = try event.requireMember("delta")
        if let reason = try delta.optionalString("stop_reason") {
          events.append(.finish(Messages.finish(reason, sequence: try delta.optionalString("stop_sequence"))))
        }
        events.append(.usage(usage))
      case "message_stop":
        isComplete = true
        events.append(.end)
      // `ping`, and what later versions add (https://docs.anthropic.com/en/api/versioning).
      default: break
      }
    }

    private mutating func begin(_ block: JSONElement, into events: inout [Event]) throws(Refusal) {
      kind = try block.requireString("type")
      switch kind {
      case "text":
        if let text = try block.optionalString("text"), !text.isEmpty { events.append(.text(text)) }
      case "tool_use":
        events.append(.toolCall(id: try block.requireString("id"), name: try block.requireString("name")))
        if let input = block["input"], !input.members.isEmpty { events.append(.toolArguments(input.literal)) }
      case "redacted_thinking": events.append(.opaqueReasoning(try block.requireString("data")))
      default: break
      }
    }

    private func take(delta: JSONElement, into events: inout [Event]) throws(Refusal) {
      switch (kind, try delta.requireString("type")) {
      case ("text", "text_delta"): events.append(.text(try delta.requireString("text")))
      case ("tool_use", "input_json_delta"):
        let piece = try delta.requireString("partial_json")
        if !piece.isEmpty { events.append(.toolArguments(piece)) }
      case ("thinking", "thinking_delta"): events.append(.reasoning(try delta.requireString("thinking")))
      case ("thinking", "signature_delta"): events.append(.reasoningSignature(try delta.requireString("signature")))
      // Of a block that this version does not know, or has no use for.
      default: break
      }
    }
  }
}
