extension Generate {
  static func readAnswer(_ body: JSONElement) throws(Refusal) -> Answer {
    var answer = Answer()
    answer.head = readHead(body)
    if let usage = body["usageMetadata"] { answer.usage = readUsage(usage) }
    guard let candidate = try body["candidates"]?.requireArray().first else {
      // A prompt that was blocked has no answer (https://ai.google.dev/api/generate-content#PromptFeedback).
      guard body["promptFeedback"]?["blockReason"] != nil else { throw .missing("candidates", in: body) }
      answer.finish = Finish(.filtered)
      return answer
    }
    var losses = Losses()
    for element in try candidate["content"]?["parts"]?.requireArray() ?? [] {
      let id = callID(answer.head, answer.parts.count)
      if let part = try readPart(element, call: id, &losses) { answer.parts.append(part) }
    }
    let calls = answer.parts.contains { if case .toolCall = $0 { true } else { false } }
    answer.finish = try finish(candidate, calls: calls)
    return answer
  }

  static func readHead(_ body: JSONElement) -> AnswerHead {
    AnswerHead(id: body["responseId"]?.string ?? "", model: body["modelVersion"]?.string ?? "")
  }

  /// Calls have an id here only sometimes, and elsewhere always.
  static func callID(_ head: AnswerHead, _ number: Int) -> String { "call_\(head.id)_\(number)" }

  /// Why an answer ended; an error where that leaves it without use, as with a call that nobody can read.
  /// (https://ai.google.dev/api/generate-content#FinishReason)
  static func finish(_ candidate: JSONElement, calls: Bool) throws(Refusal) -> Finish {
    switch try candidate.optionalString("finishReason") {
    case "MAX_TOKENS": return Finish(.length)
    case nil, "STOP", "FINISH_REASON_UNSPECIFIED", "OTHER": return Finish(calls ? .toolCalls : .stop)
    case "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE",
      "MALFORMED_RESPONSE":
      throw .expected("how an answer ends", at: try candidate.requireMember("finishReason"))
    default: return Finish(.filtered)
    }
  }

  static func readUsage(_ usage: JSONElement) -> Usage {
    let thoughts = Usage.count(usage["thoughtsTokenCount"])
    return Usage(
      input: Usage.count(usage["promptTokenCount"]) + Usage.count(usage["toolUsePromptTokenCount"]),
      cachedInput: Usage.count(usage["cachedContentTokenCount"]),
      output: Usage.count(usage["candidatesTokenCount"]) + thoughts, reasoning: thoughts)
  }

  static func readFailure(_ body: JSONElement, status: Int) -> Failure? {
    // Without `alt=sse` an error of a stream is an array of one.
    guard let error = (body.elements.first ?? body)["error"], let message = error["message"]?.string else { return nil }
    let code = error["code"]?.integer ?? status
    // A key that is none is a mistake of the caller's in Google's words.
    let reasons = error["details"]?.elements.compactMap { $0["reason"]?.string } ?? []
    if reasons.contains("API_KEY_INVALID") { return Failure(.authentication, message, status: status) }
    let kind: Failure.Kind =
      switch error["status"]?.string {
      case "INVALID_ARGUMENT", "FAILED_PRECONDITION", "OUT_OF_RANGE": .invalidRequest
      case "UNAUTHENTICATED": .authentication
      case "PERMISSION_DENIED": .permission
      case "NOT_FOUND": .notFound
      case "RESOURCE_EXHAUSTED": .rateLimited
      case "UNAVAILABLE": .overloaded
      case "DEADLINE_EXCEEDED": .timeout
      default: Failure.kind(ofStatus: code)
      }
    return Failure(kind, message, status: status)
  }

  /// Reads a stream of answers, each of which continues the one before. Behind a reason to finish more may come: what it
  /// rests on, what it cost, another candidate's words. The end is that of the body.
  struct Reader: StreamReader {
    private var head: AnswerHead?
    private var parts = 0
    private var hasCalls = false
    let isComplete = false

    mutating func read(_ name: String, _ data: [UInt8], into events: inout [Event]) throws(Failure) {
      let body = try parse(data)
      if let failure = Generate.readFailure(body, status: 0) { throw failure }
      do { try take(body, into: &events) } catch { throw .malformedAnswer }
    }

    private mutating func take(_ body: JSONElement, into events: inout [Event]) throws(Refusal) {
      let head = self.head ?? Generate.readHead(body)
      if self.head == nil { events.append(.begin(head)) }
      self.head = head
      let candidate = try body["candidates"]?.requireArray().first
      var losses = Losses()
      for element in try candidate?["content"]?["parts"]?.requireArray() ?? [] {
        if let part = try Generate.readPart(element, call: Generate.callID(head, parts), &losses) {
          append(part, to: &events)
        }
        parts += 1
      }
      if let usage = body["usageMetadata"] { events.append(.usage(Generate.readUsage(usage))) }
      let isBlocked = body["promptFeedback"]?["blockReason"] != nil
      if let candidate, candidate["finishReason"] != nil {
        events.append(.finish(try Generate.finish(candidate, calls: hasCalls)))
      } else if isBlocked {
        events.append(.finish(Finish(.filtered)))
      } else {
        if candidate == nil, body["usageMetadata"] == nil { throw .missing("candidates", in: body) }
      }
    }

    private mutating func append(_ part: Part, to events: inout [Event]) {
      switch part {
      case .text(let text): if !text.isEmpty { events.append(.text(text)) }
      case .reasoning(.text(let text, let signature)):
        events.append(.reasoning(text))
        if let signature { events.append(.reasoningSignature(signature)) }
      case .toolCall(let call):
        hasCalls = true
        if let signature = call.signature { events.append(.toolSignature(signature)) }
        events.append(.toolCall(id: call.id, name: call.name))
        events.append(.toolArguments(call.arguments))
      case .image(.data(let type, let base64), _): events.append(.image(type: type, base64: base64))
      default: break
      }
    }
  }
}
