import Kernel

extension Messages {
  static func readMessage(_ element: JSONElement, place: Int, _ losses: inout Losses) throws(Refusal) -> Message {
    element.noteOthers(than: ["role", "content"], &losses)
    let content = try element.requireMember("content")
    switch try element.requireString("role") {
    case "user": return Message(.user, try readParts(content, of: place, &losses), place: place)
    case "assistant": return Message(.assistant, try readParts(content, of: place, &losses), place: place)
    case "system": return Message(.system, try readParts(content, of: place, &losses), place: place)
    default: throw .expected("user, assistant or system", at: try element.requireMember("role"))
    }
  }

  /// - Parameter message: the place of the message whose own parts these are.
  private static func readParts(
    _ content: JSONElement, of message: Int? = nil, _ losses: inout Losses
  ) throws(Refusal) -> [Part] {
    if let text = content.string { return [.text(text)] }
    var parts: [Part] = []
    for element in try content.requireArray() {
      guard let part = try readPart(element, &losses) else {
        losses.add(element)
        continue
      }
      if let message {
        element.noteCachePoint(.part(message: message, part: parts.count), &losses)
      } else if let control = element["cache_control"] {
        losses.add(control)
      }
      parts.append(part)
    }
    return parts
  }

  /// Nil for what no other dialect has.
  static func readPart(_ element: JSONElement, _ losses: inout Losses) throws(Refusal) -> Part? {
    switch try element.requireString("type") {
    case "text":
      element.noteOthers(than: ["type", "text", "cache_control"], &losses)
      return .text(try element.requireString("text"))
    case "image":
      element.noteOthers(than: ["type", "source", "cache_control"], &losses)
      return try readMedia(try element.requireMember("source")).map { .image($0, detail: nil) }
    case "document":
      element.noteOthers(than: ["type", "source", "title", "cache_control"], &losses)
      let name = try element.optionalString("title")
      return try readMedia(try element.requireMember("source")).map { .file($0, name: name) }
    case "tool_use":
      element.noteOthers(than: ["type", "id", "name", "input", "cache_control"], &losses)
      return .toolCall(
        ToolCall(
          id: try element.requireString("id"), name: try element.requireString("name"),
          arguments: try element.requireMember("input").requireObjectLiteral()))
    case "tool_result":
      element.noteOthers(than: ["type", "tool_use_id", "content", "is_error", "cache_control"], &losses)
      return .toolResult(
        ToolResult(
          id: try element.requireString("tool_use_id"),
          content: try element["content"].map { content throws(Refusal) in try readParts(content, &losses) } ?? [],
          isError: try element["is_error"]?.requireFlag() ?? false))
    case "thinking":
      // The gateway itself says an empty one of thoughts that nobody signed.
      let signature = try element.optionalString("signature").flatMap { $0.isEmpty ? nil : $0 }
      return .reasoning(.text(try element.requireString("thinking"), signature: signature))
    case "redacted_thinking": return .reasoning(.opaque(try element.requireString("data")))
    default: return nil
    }
  }

  private static func readMedia(_ source: JSONElement) throws(Refusal) -> Media? {
    switch try source.requireString("type") {
    case "base64":
      return .data(type: try source.requireString("media_type"), base64: try source.requireString("data"))
    case "text":
      let text = Array(try source.requireString("data").utf8)
      return .data(type: try source.requireString("media_type"), base64: Base64.encode(text))
    case "url": return .url(try source.requireString("url"))
    case "file": return .stored(id: try source.requireString("file_id"))
    default: return nil
    }
  }
}

extension JSONElement {
  /// Notes that the prompt is to be kept up to here: for as long as is usual, as other dialects know no other time.
  func noteCachePoint(_ point: CachePoint, _ losses: inout Losses) {
    guard let control = self["cache_control"] else { return }
    let isUsual = control["type"]?.string == "ephemeral" && (control["ttl"]?.string ?? "5m") == "5m"
    if isUsual { losses.add(point, control.path) } else { losses.add(control) }
  }
}
