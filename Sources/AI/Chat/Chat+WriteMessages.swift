import JSON
import Kernel

extension Chat {
  static func writeMessages(
    _ conversation: Conversation, into json: inout JSONWriter, _ lost: inout Inexpressible
  ) {
    json.array("messages") {
      for text in conversation.system { writeSystem(text, into: &$0) }
      for message in conversation.messages {
        switch message.role {
        case .system:
          for case .text(let text) in message.parts { writeSystem(text, into: &$0) }
        case .user: writeUser(message, into: &$0, &lost)
        case .assistant: writeAssistant(message, conversation.variant.thoughts, into: &$0, &lost)
        }
      }
    }
  }

  private static func writeSystem(_ text: String, into json: inout JSONWriter) {
    json.object {
      $0.member("role", "system")
      $0.member("content", text)
    }
  }

  /// Results of tools are messages of their own here, before what the caller says beside them.
  private static func writeUser(_ message: Message, into json: inout JSONWriter, _ lost: inout Inexpressible) {
    var rest: [Part] = []
    for part in message.parts {
      guard case .toolResult(let result) = part else {
        rest.append(part)
        continue
      }
      json.object {
        $0.member("role", "tool")
        $0.member("tool_call_id", result.id)
        if result.isError { lost.add(.message(message.place, "is_error")) }
        // Tools say nothing but text here.
        let texts = result.content.filter { if case .text = $0 { true } else { false } }
        for part in result.content where !texts.contains(part) { lost.add(.message(message.place, part.word)) }
        writeContent(texts, place: message.place, into: &$0, &lost)
      }
    }
    if rest.isEmpty, !message.parts.isEmpty { return }
    json.object {
      $0.member("role", "user")
      writeContent(rest, place: message.place, into: &$0, &lost)
    }
  }

  private static func writeAssistant(
    _ message: Message, _ place: ChatVariant.Thoughts, into json: inout JSONWriter, _ lost: inout Inexpressible
  ) {
    var said: [Part] = []
    var thoughts: [Thought] = []
    var calls: [ToolCall] = []
    var refusal: String?
    for part in message.parts {
      switch part {
      case .toolCall(let call): calls.append(call)
      case .refusal(let text): refusal = (refusal ?? "") + text
      case .reasoning(let thought):
        thoughts.append(thought)
        if place == .pieces { said.append(part) }
      default: said.append(part)
      }
    }
    json.object {
      $0.member("role", "assistant")
      if said.isEmpty {
        $0.nullMember("content")
      } else {
        writeContent(said, place: message.place, into: &$0, &lost)
      }
      $0.member("refusal", ifPresent: refusal)
      // What another provider thought may say nothing to this one.
      if !writeThoughts(thoughts, to: place, into: &$0) { lost.add(.message(message.place, "reasoning")) }
      if !calls.isEmpty { writeCalls(calls, into: &$0) }
    }
  }

  /// - Parameter signed: with what Google's models want back, where Google's own servers of this dialect say it.
  static func writeCalls(_ calls: [ToolCall], signed: Bool = false, into json: inout JSONWriter) {
    json.array("tool_calls") {
      for call in calls {
        $0.object {
          $0.member("id", call.id)
          $0.member("type", "function")
          $0.object("function") {
            $0.member("name", call.name)
            $0.member("arguments", call.arguments.isEmpty ? "{}" : call.arguments)
          }
          if signed, let signature = call.signature { writeSignature(signature, into: &$0) }
        }
      }
    }
  }

  private static func writeFile(_ type: String, _ base64: String, _ name: String?, into json: inout JSONWriter) {
    json.object {
      if let sound = sounds[type.lowercased()] {
        $0.member("type", "input_audio")
        $0.object("input_audio") {
          $0.member("data", base64)
          $0.member("format", sound)
        }
      } else {
        $0.member("type", "file")
        $0.object("file") {
          $0.member("filename", name ?? "file")
          $0.member("file_data", "data:\(type);base64,\(base64)")
        }
      }
    }
  }

  /// Recordings that this dialect takes, and what it calls them.
  private static let sounds = [
    "audio/wav": "wav", "audio/x-wav": "wav", "audio/wave": "wav", "audio/mp3": "mp3", "audio/mpeg": "mp3",
  ]

  private static func writeThinking(_ text: String, into json: inout JSONWriter) {
    json.object {
      $0.member("type", "thinking")
      $0.array("thinking") {
        $0.object {
          $0.member("type", "text")
          $0.member("text", text)
        }
      }
    }
  }

  /// (https://ai.google.dev/gemini-api/docs/openai)
  static func writeSignature(_ signature: String, into json: inout JSONWriter) {
    json.object("extra_content") { $0.object("google") { $0.member("thought_signature", signature) } }
  }

  /// A lone text as a string, which every compatible server takes.
  private static func writeContent(
    _ parts: [Part], place: Int, into json: inout JSONWriter, _ lost: inout Inexpressible
  ) {
    if parts.isEmpty { return json.member("content", "") }
    if parts.count == 1, case .text(let text) = parts[0] { return json.member("content", text) }
    json.array("content") {
      for part in parts {
        switch part {
        case .text(let text):
          $0.object {
            $0.member("type", "text")
            $0.member("text", text)
          }
        case .image(let media, let detail):
          guard let url = media.url else {
            lost.add(.message(place, "image"))
            continue
          }
          $0.object {
            $0.member("type", "image_url")
            $0.object("image_url") {
              $0.member("url", url)
              $0.member("detail", ifPresent: detail)
            }
          }
        case .file(.data(let type, let base64), let name): writeFile(type, base64, name, into: &$0)
        case .reasoning(.text(let text, _)): writeThinking(text, into: &$0)
        case .reasoning(.opaque): continue
        default: lost.add(.message(place, part.word))
        }
      }
    }
  }
}
