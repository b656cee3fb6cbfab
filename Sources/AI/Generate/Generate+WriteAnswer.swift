import JSON
import Kernel

extension Generate {
  static func write(_ answer: Answer, into json: inout JSONWriter) {
    json.object {
      writeCandidate(finish: answer.finish, into: &$0) { for part in answer.parts { write(part, into: &$0) } }
      $0.object("usageMetadata") { write(answer.usage, into: &$0) }
      write(answer.head, into: &$0)
    }
  }

  private static func writeCandidate(
    finish: Finish?, into json: inout JSONWriter, _ parts: (inout JSONWriter) -> Void
  ) {
    json.array("candidates") {
      $0.object {
        $0.object("content") {
          $0.array("parts", parts)
          $0.member("role", "model")
        }
        if let finish { $0.member("finishReason", word(of: finish)) }
        $0.member("index", 0)
      }
    }
  }

  private static func write(_ part: Part, into json: inout JSONWriter) {
    switch part {
    case .text(let text), .refusal(let text): json.object { $0.member("text", text) }
    case .reasoning(.text(let text, let signature)):
      json.object {
        $0.member("text", text)
        $0.member("thought", true)
        $0.member("thoughtSignature", ifPresent: signature)
      }
    case .toolCall(let call):
      json.object {
        $0.object("functionCall") {
          $0.member("id", call.id)
          $0.member("name", call.name)
          $0.member("args", literal: Messages.argumentsObject(call.arguments) ?? "{}")
        }
      }
    case .image(.data(let type, let base64), _): write(type, base64, into: &json)
    // This dialect has no place for them in an answer.
    case .reasoning(.opaque), .image, .file, .toolResult: break
    }
  }

  private static func word(of finish: Finish) -> String {
    switch finish.reason {
    case .stop, .toolCalls: "STOP"
    case .length: "MAX_TOKENS"
    case .filtered, .refusal: "SAFETY"
    }
  }

  private static func write(_ usage: Usage, into json: inout JSONWriter) {
    json.member("promptTokenCount", usage.input)
    json.member("candidatesTokenCount", usage.output - usage.reasoning)
    json.member("totalTokenCount", usage.input + usage.output)
    if usage.cachedInput > 0 { json.member("cachedContentTokenCount", usage.cachedInput) }
    if usage.reasoning > 0 { json.member("thoughtsTokenCount", usage.reasoning) }
  }

  private static func write(_ head: AnswerHead, into json: inout JSONWriter) {
    json.member("modelVersion", head.model)
    json.member("responseId", head.id)
  }

  static func write(_ failure: Failure, into json: inout JSONWriter) {
    json.object {
      $0.object("error") {
        $0.member("code", failure.answerStatus)
        $0.member("message", failure.message)
        $0.member("status", status(of: failure.kind))
      }
    }
  }

  private static func status(of kind: Failure.Kind) -> String {
    switch kind {
    case .invalidRequest, .tooLarge: "INVALID_ARGUMENT"
    case .authentication: "UNAUTHENTICATED"
    case .permission: "PERMISSION_DENIED"
    case .notFound: "NOT_FOUND"
    case .rateLimited, .quota: "RESOURCE_EXHAUSTED"
    case .overloaded: "UNAVAILABLE"
    case .timeout: "DEADLINE_EXCEEDED"
    case .server: "INTERNAL"
    }
  }

  /// Writes a stream of answers. Arguments of a call are complete here, so they are held until they are.
  struct Writer: StreamWriter {
    private var head: AnswerHead
    private var call: ToolCall?
    private var finish = Finish(.stop)
    private var usage = Usage()

    init(_ head: AnswerHead) { self.head = head }

    mutating func write(_ event: Event, into out: inout ByteBuffer) {
      switch event {
      case .begin(let begun):
        if !begun.id.isEmpty { head.id = begun.id }
        if !begun.model.isEmpty { head.model = begun.model }
      case .text(let text), .refusal(let text): say(.text(text), into: &out)
      case .reasoning(let text): say(.reasoning(.text(text, signature: nil)), into: &out)
      case .reasoningSignature(let signature): say(.reasoning(.text("", signature: signature)), into: &out)
      case .image(let type, let base64): say(.image(.data(type: type, base64: base64), detail: nil), into: &out)
      case .opaqueReasoning, .toolSignature: break
      case .toolCall(let id, let name):
        flushCall(into: &out)
        call = ToolCall(id: id, name: name, arguments: "")
      case .toolArguments(let text): call?.arguments += text
      case .finish(let finish): self.finish = finish
      case .usage(let usage): self.usage = usage
      case .end:
        flushCall(into: &out)
        end(into: &out)
      case .failure(let failure): EventText.append(nil, to: &out) { Generate.write(failure, into: &$0) }
      }
    }

    private mutating func flushCall(into out: inout ByteBuffer) {
      guard let call else { return }
      self.call = nil
      piece(.toolCall(call), into: &out)
    }

    private mutating func say(_ part: Part, into out: inout ByteBuffer) {
      flushCall(into: &out)
      piece(part, into: &out)
    }

    private func piece(_ part: Part, into out: inout ByteBuffer) {
      EventText.append(nil, to: &out) {
        $0.object {
          Generate.writeCandidate(finish: nil, into: &$0) { Generate.write(part, into: &$0) }
          Generate.write(head, into: &$0)
        }
      }
    }

    private func end(into out: inout ByteBuffer) {
      EventText.append(nil, to: &out) {
        $0.object {
          Generate.writeCandidate(finish: finish, into: &$0) { _ in }
          $0.object("usageMetadata") { Generate.write(usage, into: &$0) }
          Generate.write(head, into: &$0)
        }
      }
    }
  }
}
