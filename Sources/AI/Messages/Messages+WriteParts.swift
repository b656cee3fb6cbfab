import JSON
import Kernel

extension Messages {
  static func writeMessages(
    _ conversation: Conversation, into json: inout JSONWriter, _ lost: inout Inexpressible
  ) {
    for message in conversation.messages {
      switch message.role {
      case .system: lost.add(.message(message.place, "role"))
      case .user: writeMessage("user", message, into: &json, &lost)
      case .assistant: writeMessage("assistant", message, into: &json, &lost)
      }
    }
  }

  private static func writeMessage(
    _ role: String, _ message: Message, into json: inout JSONWriter, _ lost: inout Inexpressible
  ) {
    json.object {
      $0.member("role", role)
      $0.array("content") {
        for part in message.parts { writePart(part, place: message.place, into: &$0, &lost) }
      }
    }
  }

  static func writeText(_ text: String, into json: inout JSONWriter) {
    json.object {
      $0.member("type", "text")
      $0.member("text", text)
    }
  }

  private static func writePart(
    _ part: Part, place: Int, into json: inout JSONWriter, _ lost: inout Inexpressible
  ) {
    switch part {
    case .text(let text): writeText(text, into: &json)
    // What the model said instead of an answer is text here.
    case .refusal(let text): writeText(text, into: &json)
    // An id of another provider's store says nothing to this one.
    case .image(.stored, _), .file(.stored, _): lost.add(.message(place, part.word))
    case .image(.data(let type, _), _) where !images.contains(type.lowercased()):
      lost.add(.message(place, part.word))
    case .file(.data(let type, let base64), let name) where type.lowercased() != "application/pdf":
      guard writeText(type, base64, name, into: &json) else { return lost.add(.message(place, part.word)) }
    case .image(let media, _):
      json.object {
        $0.member("type", "image")
        $0.object("source") { writeSource(media, into: &$0) }
      }
    case .file(let media, let name):
      json.object {
        $0.member("type", "document")
        $0.object("source") { writeSource(media, into: &$0) }
        $0.member("title", ifPresent: name)
      }
    case .toolCall(let call):
      guard let input = argumentsObject(call.arguments) else { return lost.add(.message(place, "tool_calls")) }
      json.object {
        $0.member("type", "tool_use")
        $0.member("id", call.id)
        $0.member("name", call.name)
        $0.member("input", literal: input)
      }
    case .toolResult(let result):
      json.object {
        $0.member("type", "tool_result")
        $0.member("tool_use_id", result.id)
        $0.array("content") { for part in result.content { writePart(part, place: place, into: &$0, &lost) } }
        if result.isError { $0.member("is_error", true) }
      }
    case .reasoning(let thought): write(thought, place: place, into: &json, &lost)
    }
  }

  /// Text stands here as it is; of other documents this dialect has none, which is false.
  private static func writeText(
    _ type: String, _ base64: String, _ name: String?, into json: inout JSONWriter
  ) -> Bool {
    guard type.lowercased().hasPrefix("text/"), let text = Base64.decode(base64),
      let plain = String(validating: text, as: UTF8.self)
    else { return false }
    json.object {
      $0.member("type", "document")
      $0.object("source") {
        $0.member("type", "text")
        $0.member("media_type", "text/plain")
        $0.member("data", plain)
      }
      $0.member("title", ifPresent: name)
    }
    return true
  }

  private static let images: Set = ["image/png", "image/jpeg", "image/gif", "image/webp"]

  /// Arguments as an object; nil when they are none.
  static func argumentsObject(_ arguments: String) -> String? {
    if arguments.allSatisfy(\.isWhitespace) { return "{}" }
    guard let value = try? JSONElement(parsing: arguments), value.isObject else { return nil }
    return arguments
  }

  private static func writeSource(_ media: Media, into json: inout JSONWriter) {
    switch media {
    case .url(let url):
      json.member("type", "url")
      json.member("url", url)
    case .data(let type, let base64):
      json.member("type", "base64")
      json.member("media_type", type)
      json.member("data", base64)
    case .stored: break
    }
  }

  private static func write(
    _ thought: Thought, place: Int, into json: inout JSONWriter, _ lost: inout Inexpressible
  ) {
    switch thought {
    case .text(let text, let signature?):
      json.object {
        $0.member("type", "thinking")
        $0.member("thinking", text)
        $0.member("signature", signature)
      }
    // Anthropic takes back only what it has signed.
    case .text(_, nil): lost.add(.message(place, "reasoning"))
    case .opaque(let data):
      json.object {
        $0.member("type", "redacted_thinking")
        $0.member("data", data)
      }
    }
  }
}
