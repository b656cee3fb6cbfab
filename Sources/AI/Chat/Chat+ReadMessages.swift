extension Chat {
  static func readMessages(
    _ value: JSONElement, into conversation: inout Conversation, _ losses: inout Losses
  ) throws(Refusal) {
    for (place, element) in try value.requireArray().enumerated() {
      switch try element.requireString("role") {
      case "system", "developer":
        element.noteOthers(than: ["role", "content"], &losses)
        let texts = try readTexts(try element.requireMember("content"), &losses)
        if conversation.messages.isEmpty {
          conversation.system += texts
        } else {
          conversation.messages.append(Message(.system, texts.map { .text($0) }, place: place))
        }
      case "user":
        element.noteOthers(than: ["role", "content"], &losses)
        let parts = try readParts(try element.requireMember("content"), &losses)
        conversation.messages.append(Message(.user, parts, place: place))
      case "assistant":
        conversation.messages.append(Message(.assistant, try readAssistant(element, &losses), place: place))
      case "tool":
        element.noteOthers(than: ["role", "content", "tool_call_id"], &losses)
        let result = ToolResult(
          id: try element.requireString("tool_call_id"),
          content: try readParts(try element.requireMember("content"), &losses))
        append(result, place: place, to: &conversation.messages)
      default: throw .expected("a role that is known", at: try element.requireMember("role"))
      }
    }
  }

  /// The results of calls that were made at once belong to one turn.
  private static func append(_ result: ToolResult, place: Int, to messages: inout [Message]) {
    if let last = messages.indices.last, messages[last].role == .user, case .toolResult = messages[last].parts.last {
      messages[last].parts.append(.toolResult(result))
    } else {
      messages.append(Message(.user, [.toolResult(result)], place: place))
    }
  }

  private static func readAssistant(_ element: JSONElement, _ losses: inout Losses) throws(Refusal) -> [Part] {
    element.noteOthers(
      than: [
        "role", "content", "refusal", "tool_calls", "annotations", "images", "reasoning_content", "reasoning",
        "reasoning_details",
      ], &losses)
    var parts: [Part] = try readThoughts(of: element).map { .reasoning($0) }
    if let content = element["content"] { parts += try readParts(content, &losses) }
    if let refusal = try element.optionalString("refusal") { parts.append(.refusal(refusal)) }
    parts += readImages(element["images"])
    for call in try element["tool_calls"]?.requireArray() ?? [] {
      guard try call.optionalString("type") ?? "function" == "function" else {
        losses.add(call)
        continue
      }
      let function = try call.requireMember("function")
      parts.append(
        .toolCall(
          ToolCall(
            id: try call.requireString("id"), name: try function.requireString("name"),
            arguments: try function.optionalString("arguments") ?? "",
            signature: call["extra_content"]?["google"]?["thought_signature"]?.string)))
    }
    return parts
  }

  private static func readTexts(_ content: JSONElement, _ losses: inout Losses) throws(Refusal) -> [String] {
    var texts: [String] = []
    for part in try readParts(content, &losses) {
      guard case .text(let text) = part else { throw .expected("text", at: content) }
      texts.append(text)
    }
    return texts
  }

  private static func readParts(_ content: JSONElement, _ losses: inout Losses) throws(Refusal) -> [Part] {
    // An assistant that only calls tools may say the empty text beside them, which is none.
    if let text = content.string { return text.isEmpty ? [] : [.text(text)] }
    var parts: [Part] = []
    for element in try content.requireArray() {
      switch try element.requireString("type") {
      case "text":
        element.noteOthers(than: ["type", "text"], &losses)
        parts.append(.text(try element.requireString("text")))
      case "refusal": parts.append(.refusal(try element.requireString("refusal")))
      case "thinking": parts.append(.reasoning(.text(try readThinking(element), signature: nil)))
      case "image_url":
        let image = try element.requireMember("image_url")
        parts.append(
          .image(Media(url: try image.requireString("url")), detail: try image.optionalString("detail")))
      case "input_audio":
        let sound = try element.requireMember("input_audio")
        let type = "audio/\(try sound.requireString("format"))"
        parts.append(.file(.data(type: type, base64: try sound.requireString("data")), name: nil))
      case "file":
        if let file = try readFile(try element.requireMember("file")) {
          parts.append(file)
        } else {
          losses.add(element)
        }
      default: losses.add(element)
      }
    }
    return parts
  }

  private static func readFile(_ file: JSONElement) throws(Refusal) -> Part? {
    let name = try file.optionalString("filename")
    if let id = try file.optionalString("file_id") { return .file(.stored(id: id), name: name) }
    guard let data = try file.optionalString("file_data") else { return nil }
    return .file(Media(url: data), name: name)
  }
}
