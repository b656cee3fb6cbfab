import Kernel

extension Chat {
  /// Reads a whole answer.
  static func readAnswer(_ body: JSONElement) throws(Refusal) -> Answer {
    var answer = Answer()
    answer.head = readHead(body)
    guard let choice = try body.requireMember("choices").requireArray().first else {
      throw .missing("choices[0]", in: body)
    }
    let message = try choice.requireMember("message")
    answer.parts += try readThoughts(of: message).map { .reasoning($0) }
    answer.parts += try readSaid(message["content"])
    if let text = try message.optionalString("refusal"), !text.isEmpty { answer.parts.append(.refusal(text)) }
    answer.parts += readImages(message["images"])
    for call in try message["tool_calls"]?.requireArray() ?? [] {
      let function = try call.requireMember("function")
      answer.parts.append(
        .toolCall(
          ToolCall(
            id: try call.requireString("id"), name: try function.requireString("name"),
            arguments: try function.optionalString("arguments") ?? "")))
    }
    let refused = answer.parts.contains { if case .refusal = $0 { true } else { false } }
    answer.finish = finish(try choice.optionalString("finish_reason"), refused: refused)
    if let usage = body["usage"] { answer.usage = readUsage(usage) }
    return answer
  }

  static func readHead(_ body: JSONElement) -> AnswerHead {
    AnswerHead(
      id: body["id"]?.string ?? "", model: body["model"]?.string ?? "", created: body["created"]?.integer ?? 0)
  }

  /// The content of an answer: a text, or of some servers pieces of text and thought.
  static func readSaid(_ content: JSONElement?) throws(Refusal) -> [Part] {
    guard let content else { return [] }
    if content.isString { return content.range.count > 2 ? [.text(try content.requireString())] : [] }
    var parts: [Part] = []
    for element in try content.requireArray() {
      switch try element.requireString("type") {
      case "text": parts.append(.text(try element.requireString("text")))
      case "thinking": parts.append(.reasoning(.text(try readThinking(element), signature: nil)))
      // References to what a text rests on, which no other dialect has.
      default: continue
      }
    }
    return parts
  }

  /// Images that the model drew, as OpenRouter says them (https://openrouter.ai/docs/features/multimodal/image-generation).
  static func readImages(_ images: JSONElement?) -> [Part] {
    guard let images, images.isArray else { return [] }
    return images.elements.compactMap { image in
      image["image_url"]?["url"]?.string.map { .image(Media(url: $0), detail: nil) }
    }
  }

  static func finish(_ reason: String?, refused: Bool) -> Finish {
    switch reason {
    case "length": Finish(.length)
    case "tool_calls", "function_call": Finish(.toolCalls)
    case "content_filter": Finish(.filtered)
    default: Finish(refused ? .refusal : .stop)
    }
  }

  static func readUsage(_ usage: JSONElement) -> Usage {
    var known = Usage(
      input: Usage.count(usage["prompt_tokens"]),
      cachedInput: Usage.count(usage["prompt_tokens_details"]?["cached_tokens"]),
      writtenInput: Usage.count(usage["prompt_tokens_details"]?["cache_write_tokens"]),
      output: Usage.count(usage["completion_tokens"]),
      reasoning: Usage.count(usage["completion_tokens_details"]?["reasoning_tokens"]))
    // Some servers, xAI's and Google's of this dialect among them, count thoughts beside what was said: their sum tells.
    if known.reasoning > 0, Usage.count(usage["total_tokens"]) == known.input + known.output + known.reasoning {
      known.output += known.reasoning
    }
    return known
  }

  /// Reads a provider's error; nil when the body is none of this dialect.
  static func readFailure(_ body: JSONElement, status: Int) -> Failure? {
    // Some compatible servers have no frame around it.
    guard let error = body["error"] ?? (status >= 400 && body["message"]?.string != nil ? body : nil) else {
      return nil
    }
    return failure(error, status: status)
  }

  static func failure(_ error: JSONElement, status: Int) -> Failure {
    // Some compatible servers say the message alone.
    let message = error.string ?? error["message"]?.string ?? "The provider gave no reason."
    var kind = Failure.kind(ofStatus: status)
    switch error["code"]?.string ?? error["type"]?.string ?? "" {
    case "insufficient_quota": kind = .quota
    case "rate_limit_exceeded": kind = .rateLimited
    case "invalid_api_key": kind = .authentication
    case "invalid_request_error" where status < 400: kind = .invalidRequest
    default: break
    }
    var failure = Failure(kind, message, field: error["param"]?.string, status: status)
    if error["code"]?.string == "context_length_exceeded" { failure.exceedsContext = true }
    return failure
  }

  /// Reads `chat.completion.chunk`s.
  struct Reader: StreamReader {
    private var hasBegun = false
    private var isRefused = false
    /// The `index` of the tool call under way.
    private var call: Int?
    private var callID = ""
    private var pending: Finish?
    private(set) var isComplete = false

    mutating func read(_ name: String, _ data: [UInt8], into events: inout [Event]) throws(Failure) {
      if ByteScan.equal(data.span, ByteScan.bytes(of: "[DONE]")) {
        isComplete = true
        events.append(.end)
        return
      }
      let chunk = try parse(data)
      if let failure = Chat.readFailure(chunk, status: 0) { throw failure }
      do { try take(chunk, into: &events) } catch { throw .malformedAnswer }
    }

    private mutating func take(_ chunk: JSONElement, into events: inout [Event]) throws(Refusal) {
      if !hasBegun {
        hasBegun = true
        events.append(.begin(Chat.readHead(chunk)))
      }
      if let choice = try chunk["choices"]?.requireArray().first {
        if let delta = choice["delta"] { try take(delta: delta, of: choice["index"]?.integer ?? 0, into: &events) }
        if let reason = try choice.optionalString("finish_reason") {
          events.append(.finish(Chat.finish(reason, refused: isRefused)))
        }
      }
      if let usage = chunk["usage"], usage.isObject { events.append(.usage(Chat.readUsage(usage))) }
    }

    private mutating func take(
      delta: JSONElement, of choice: Int, into events: inout [Event]
    ) throws(Refusal) {
      for thought in try Chat.readThoughts(of: delta) { append(.reasoning(thought), to: &events) }
      for part in try Chat.readSaid(delta["content"]) { append(part, to: &events) }
      for part in Chat.readImages(delta["images"]) { append(part, to: &events) }
      if let text = try delta.optionalString("refusal"), !text.isEmpty {
        isRefused = true
        events.append(.refusal(text))
      }
      for element in try delta["tool_calls"]?.requireArray() ?? [] {
        if choice == 0 {
          try take(call: element, into: &events)
        } else if let arguments = element["function"]?["arguments"]?.string, !arguments.isEmpty {
          // Of another choice, which only a client of this dialect can ask for: how much it was is all that counts.
          events.append(.toolArguments(arguments))
        }
      }
    }

    private func append(_ part: Part, to events: inout [Event]) {
      switch part {
      case .text(let text) where !text.isEmpty: events.append(.text(text))
      case .reasoning(.text(let text, let signature)):
        if !text.isEmpty { events.append(.reasoning(text)) }
        if let signature { events.append(.reasoningSignature(signature)) }
      case .reasoning(.opaque(let data)): events.append(.opaqueReasoning(data))
      case .image(.data(let type, let base64), _): events.append(.image(type: type, base64: base64))
      default: break
      }
    }

    private mutating func take(call element: JSONElement, into events: inout [Event]) throws(Refusal) {
      // Some compatible servers leave the index out and send each call whole.
      let index = element["index"]?.integer ?? (call ?? -1) + 1
      let function = element["function"]
      let id = element["id"]?.string ?? ""
      // Some number all of them 0.
      let isNext = index == call && !id.isEmpty && id != callID && function?["name"]?.string?.isEmpty == false
      if index != call || isNext {
        guard isNext || index > call ?? -1 else { throw .expected("the call under way", at: element) }
        (call, callID) = (index, id)
        events.append(
          .toolCall(
            id: try element.requireString("id"), name: try element.requireMember("function").requireString("name")))
      }
      if let arguments = try function?.optionalString("arguments"), !arguments.isEmpty {
        events.append(.toolArguments(arguments))
      }
    }
  }
}
