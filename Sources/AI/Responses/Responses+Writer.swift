import JSON
import Kernel

extension Responses {
  /// Writes a stream: items one after the other, each begun, continued and ended, and at the end all of it again.
  struct Writer: StreamWriter {
    private var answer = Answer()
    private var number = 0
    /// Whether the last part is under way.
    private var isOpen = false

    /// - Parameter number: of the next event.
    init(_ head: AnswerHead, from number: Int = 0) {
      answer.head = head
      self.number = number
    }

    mutating func write(_ event: Event, into out: inout ByteBuffer) {
      switch event {
      case .begin(let head):
        if !head.id.isEmpty { answer.head.id = head.id }
        if !head.model.isEmpty { answer.head.model = head.model }
        if head.created > 0 { answer.head.created = head.created }
        whole("response.created", isComplete: false, into: &out)
        whole("response.in_progress", isComplete: false, into: &out)
      case .text(let text): say(.text(text), into: &out)
      case .refusal(let text): say(.refusal(text), into: &out)
      case .reasoning(let text): say(.reasoning(.text(text, signature: nil)), into: &out)
      case .reasoningSignature(let more): sign(more, into: &out)
      case .opaqueReasoning(let data):
        close(into: &out)
        open(.reasoning(.opaque(data)), into: &out)
        close(into: &out)
      case .image(let type, let base64):
        close(into: &out)
        open(.image(.data(type: type, base64: base64), detail: nil), into: &out)
        close(into: &out)
      // Here is no place for it beside a call.
      case .toolSignature: break
      case .toolCall(let id, let name):
        close(into: &out)
        open(.toolCall(ToolCall(id: id, name: name, arguments: "")), into: &out)
      case .toolArguments(let text): extend(.toolCall(ToolCall(id: "", name: "", arguments: text)), into: &out)
      case .finish(let finish): answer.finish = finish
      case .usage(let usage): answer.usage = usage
      case .end:
        close(into: &out)
        let status = Responses.status(of: answer.finish)
        whole(status == "completed" ? "response.completed" : "response.incomplete", isComplete: true, into: &out)
      case .failure(let failure):
        send("error", into: &out) {
          $0.member("code", failure.kind.rawValue)
          $0.member("message", failure.message)
          if let field = failure.field { $0.member("param", field) } else { $0.nullMember("param") }
        }
      }
    }

    private var place: Int { answer.parts.count - 1 }

    /// Goes on with a part of this kind, or begins one.
    private mutating func say(_ piece: Part, into out: inout ByteBuffer) {
      if !isOpen || answer.parts[place].word != piece.word || answer.parts[place].isSigned {
        close(into: &out)
        switch piece {
        case .refusal: open(.refusal(""), into: &out)
        case .reasoning: open(.reasoning(.text("", signature: nil)), into: &out)
        default: open(.text(""), into: &out)
        }
      }
      extend(piece, into: &out)
    }

    private mutating func open(_ part: Part, into out: inout ByteBuffer) {
      answer.parts.append(part)
      isOpen = true
      let (place, id) = (place, answer.head.id)
      send("response.output_item.added", into: &out) {
        $0.member("output_index", place)
        $0.key("item")
        Responses.writeItem(part, place, id, "in_progress", into: &$0)
      }
      switch part {
      case .toolCall, .reasoning(.opaque), .image: break
      case .reasoning:
        content("response.reasoning_summary_part.added", into: &out) {
          $0.key("part")
          Responses.writeSummary("", into: &$0)
        }
      default:
        content("response.content_part.added", into: &out) {
          $0.key("part")
          Responses.writePart(part, into: &$0)
        }
      }
    }

    /// The proof of the thought under way, which comes behind it, or instead of its text.
    private mutating func sign(_ more: String, into out: inout ByteBuffer) {
      if !isOpen || answer.parts[place].word != Part.reasoning(.opaque("")).word {
        close(into: &out)
        open(.reasoning(.text("", signature: nil)), into: &out)
      }
      guard case .reasoning(.text(let text, let signature)) = answer.parts[place] else { return }
      answer.parts[place] = .reasoning(.text(text, signature: (signature ?? "") + more))
    }

    private mutating func extend(_ piece: Part, into out: inout ByteBuffer) {
      guard isOpen else { return }
      let (kind, text): (StaticString, String)
      switch (answer.parts[place], piece) {
      case (.text(let known), .text(let more)):
        answer.parts[place] = .text(known + more)
        (kind, text) = ("response.output_text.delta", more)
      case (.refusal(let known), .refusal(let more)):
        answer.parts[place] = .refusal(known + more)
        (kind, text) = ("response.refusal.delta", more)
      case (.reasoning(.text(let known, _)), .reasoning(.text(let more, _))):
        answer.parts[place] = .reasoning(.text(known + more, signature: nil))
        (kind, text) = ("response.reasoning_summary_text.delta", more)
      case (.toolCall(var call), .toolCall(let more)):
        call.arguments += more.arguments
        answer.parts[place] = .toolCall(call)
        (kind, text) = ("response.function_call_arguments.delta", more.arguments)
      default: return
      }
      content(kind, into: &out) {
        $0.member("delta", text)
        if case .text = piece { $0.array("logprobs") { _ in } }
      }
    }

    private mutating func close(into out: inout ByteBuffer) {
      guard isOpen else { return }
      // A call without arguments has an empty object of them.
      if case .toolCall(let call) = answer.parts[place], call.arguments.isEmpty {
        extend(.toolCall(ToolCall(id: "", name: "", arguments: "{}")), into: &out)
      }
      isOpen = false
      let (part, place, id) = (answer.parts[place], place, answer.head.id)
      switch part {
      case .toolCall(let call):
        content("response.function_call_arguments.done", into: &out) {
          $0.member("name", call.name)
          $0.member("arguments", call.arguments)
        }
      case .refusal(let text): content("response.refusal.done", into: &out) { $0.member("refusal", text) }
      case .reasoning(.text(let text, _)):
        content("response.reasoning_summary_text.done", into: &out) { $0.member("text", text) }
        content("response.reasoning_summary_part.done", into: &out) {
          $0.key("part")
          Responses.writeSummary(text, into: &$0)
        }
      case .text(let text):
        content("response.output_text.done", into: &out) {
          $0.member("text", text)
          $0.array("logprobs") { _ in }
        }
      default: break
      }
      switch part {
      case .text, .refusal:
        content("response.content_part.done", into: &out) {
          $0.key("part")
          Responses.writePart(part, into: &$0)
        }
      default: break
      }
      send("response.output_item.done", into: &out) {
        $0.member("output_index", place)
        $0.key("item")
        Responses.writeItem(part, place, id, "completed", into: &$0)
      }
    }

    /// An event about the part under way.
    private mutating func content(
      _ name: StaticString, into out: inout ByteBuffer, _ body: (inout JSONWriter) -> Void
    ) {
      let (place, id) = (place, answer.head.id)
      let part = answer.parts[place]
      send(name, into: &out) {
        $0.member("item_id", Responses.itemID(place, id))
        $0.member("output_index", place)
        switch part {
        case .toolCall: break
        case .reasoning: $0.member("summary_index", 0)
        default: $0.member("content_index", 0)
        }
        body(&$0)
      }
    }

    private mutating func whole(_ name: StaticString, isComplete: Bool, into out: inout ByteBuffer) {
      let answer = answer
      send(name, into: &out) {
        $0.key("response")
        Responses.write(answer, isComplete: isComplete, into: &$0)
      }
    }

    private mutating func send(
      _ name: StaticString, into out: inout ByteBuffer, _ body: (inout JSONWriter) -> Void
    ) {
      let number = number
      self.number += 1
      EventText.append(name, to: &out) {
        $0.object {
          $0.member("type", "\(name)")
          $0.member("sequence_number", number)
          body(&$0)
        }
      }
    }
  }
}

extension Part {
  /// Whether it is a thought that has its proof, behind which another one begins.
  fileprivate var isSigned: Bool { if case .reasoning(.text(_, _?)) = self { true } else { false } }
}
