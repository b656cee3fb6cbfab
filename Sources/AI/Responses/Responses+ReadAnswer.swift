import Kernel

/// Responses as a provider gives them to its own clients: they pass as they came, and are read for what they say and count.
extension Responses {
  static func readAnswer(_ body: JSONElement) throws(Refusal) -> Answer {
    var answer = Answer()
    answer.head = readHead(body)
    for item in try body.requireMember("output").requireArray() { read(item, into: &answer) }
    answer.finish = finish(of: body, answer.parts)
    if let usage = body["usage"] { answer.usage = readUsage(usage) }
    return answer
  }

  /// What an item says; of what only this dialect has, such as searches, it is noted that there is some.
  private static func read(_ item: JSONElement, into answer: inout Answer) {
    switch item["type"]?.string {
    case "message":
      for piece in item["content"]?.elements ?? [] {
        if let text = piece["text"]?.string { answer.parts.append(.text(text)) }
        if let text = piece["refusal"]?.string { answer.parts.append(.refusal(text)) }
        if piece["annotations"]?.elements.isEmpty == false { answer.hasUnread = true }
      }
    case "function_call":
      answer.parts.append(
        .toolCall(
          ToolCall(
            id: item["call_id"]?.string ?? "", name: item["name"]?.string ?? "",
            arguments: item["arguments"]?.string ?? "")))
    case "reasoning":
      for piece in item["summary"]?.elements ?? [] {
        answer.parts.append(.reasoning(.text(piece["text"]?.string ?? "", signature: nil)))
      }
      if item["encrypted_content"] != nil { answer.hasUnread = true }
    default: answer.hasUnread = true
    }
  }

  static func readHead(_ body: JSONElement) -> AnswerHead {
    AnswerHead(
      id: body["id"]?.string ?? "", model: body["model"]?.string ?? "", created: body["created_at"]?.integer ?? 0)
  }

  private static func finish(of body: JSONElement, _ parts: [Part]) -> Finish {
    switch body["incomplete_details"]?["reason"]?.string {
    case "max_output_tokens": return Finish(.length)
    case "content_filter": return Finish(.filtered)
    default: break
    }
    if parts.contains(where: { if case .toolCall = $0 { true } else { false } }) { return Finish(.toolCalls) }
    return Finish(parts.contains { if case .refusal = $0 { true } else { false } } ? .refusal : .stop)
  }

  static func readUsage(_ usage: JSONElement) -> Usage {
    Usage(
      input: Usage.count(usage["input_tokens"]),
      cachedInput: Usage.count(usage["input_tokens_details"]?["cached_tokens"]),
      writtenInput: Usage.count(usage["input_tokens_details"]?["cache_write_tokens"]),
      output: Usage.count(usage["output_tokens"]),
      reasoning: Usage.count(usage["output_tokens_details"]?["reasoning_tokens"]))
  }

  /// Reads the events of a stream.
  ///
  /// An event that is new here, or that only this dialect has, is an error that the stream survives: it passes, and what was
  /// recorded of the answer is not all of it.
  struct Reader: StreamReader {
    private var hasBegun = false
    /// The `output_index` of the call of a tool under way.
    private var call: Int?
    private(set) var isComplete = false

    /// Events that say nothing which others do not say.
    private static let silent: Set<String> = [
      "response.created", "response.in_progress", "response.queued", "response.content_part.added",
      "response.content_part.done", "response.output_text.done", "response.refusal.done",
      "response.function_call_arguments.done", "response.reasoning_summary_part.added",
      "response.reasoning_summary_part.done", "response.reasoning_summary_text.done", "response.reasoning_text.done",
    ]

    mutating func read(_ name: String, _ data: [UInt8], into events: inout [Event]) throws(Failure) {
      let event = try parse(data)
      guard let type = event["type"]?.string else { throw .malformedAnswer }
      if !hasBegun, let response = event["response"] {
        hasBegun = true
        events.append(.begin(Responses.readHead(response)))
      }
      switch type {
      case "response.output_text.delta": events.append(.text(try piece(event)))
      case "response.refusal.delta": events.append(.refusal(try piece(event)))
      case "response.reasoning_summary_text.delta", "response.reasoning_text.delta":
        events.append(.reasoning(try piece(event)))
      case "response.function_call_arguments.delta":
        events.append(.toolArguments(try piece(event)))
        if event["output_index"]?.integer != call { throw .malformedAnswer }
      case "response.output_item.added": try begin(event, into: &events)
      case "response.output_item.done":
        let kind = event["item"]?["type"]?.string ?? ""
        if !["message", "function_call", "reasoning"].contains(kind) || event["item"]?["encrypted_content"] != nil {
          throw .malformedAnswer
        }
      case "response.completed", "response.incomplete": end(event["response"] ?? event, into: &events)
      case "response.failed": throw Chat.failure(event["response"]?["error"] ?? event, status: 0)
      case "error": throw Chat.failure(event["error"] ?? event, status: 0)
      default:
        if Self.silent.contains(type) { return }
        if let more = event["delta"]?.string { events.append(.toolArguments(more)) }
        throw .malformedAnswer
      }
    }

    private func piece(_ event: JSONElement) throws(Failure) -> String {
      guard let text = event["delta"]?.string else { throw .malformedAnswer }
      return text
    }

    private mutating func begin(_ event: JSONElement, into events: inout [Event]) throws(Failure) {
      guard let item = event["item"] else { throw .malformedAnswer }
      switch item["type"]?.string {
      case "message", "reasoning": break
      case "function_call":
        call = event["output_index"]?.integer
        events.append(.toolCall(id: item["call_id"]?.string ?? "", name: item["name"]?.string ?? ""))
      default: throw .malformedAnswer
      }
    }

    private mutating func end(_ response: JSONElement, into events: inout [Event]) {
      let answer = try? Responses.readAnswer(response)
      events.append(.usage(answer?.usage ?? Usage()))
      events.append(.finish(answer?.finish ?? Finish(.stop)))
      events.append(.end)
      isComplete = true
    }
  }
}
