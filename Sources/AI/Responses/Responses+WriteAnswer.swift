import JSON
import Kernel

extension Responses {
  static func write(_ answer: Answer, into json: inout JSONWriter) { write(answer, isComplete: true, into: &json) }

  /// The response object, whole or at the beginning of a stream.
  static func write(_ answer: Answer, isComplete: Bool, into json: inout JSONWriter) {
    json.object {
      $0.member("id", answer.head.id)
      $0.member("object", "response")
      $0.member("created_at", answer.head.created)
      $0.member("status", isComplete ? status(of: answer.finish) : "in_progress")
      $0.nullMember("error")
      if isComplete, let reason = incompleteReason(answer.finish) {
        $0.object("incomplete_details") { $0.member("reason", reason) }
      } else {
        $0.nullMember("incomplete_details")
      }
      for name in ["instructions", "max_output_tokens", "previous_response_id", "temperature", "top_p", "user"] {
        $0.nullMember(name)
      }
      $0.member("model", answer.head.model)
      $0.array("output") {
        for (place, part) in answer.parts.enumerated() {
          writeItem(part, place, answer.head.id, "completed", into: &$0)
        }
      }
      $0.member("parallel_tool_calls", true)
      $0.member("store", false)
      $0.member("tool_choice", "auto")
      $0.array("tools") { _ in }
      $0.object("metadata") { _ in }
      if isComplete { $0.object("usage") { write(answer.usage, into: &$0) } } else { $0.nullMember("usage") }
    }
  }

  static func status(of finish: Finish) -> String { incompleteReason(finish) == nil ? "completed" : "incomplete" }

  private static func incompleteReason(_ finish: Finish) -> String? {
    switch finish.reason {
    case .length: "max_output_tokens"
    case .filtered: "content_filter"
    case .stop, .toolCalls, .refusal: nil
    }
  }

  private static func write(_ usage: Usage, into json: inout JSONWriter) {
    json.member("input_tokens", usage.input)
    json.object("input_tokens_details") {
      $0.member("cached_tokens", usage.cachedInput)
      $0.member("cache_write_tokens", usage.writtenInput)
    }
    json.member("output_tokens", usage.output)
    json.object("output_tokens_details") { $0.member("reasoning_tokens", usage.reasoning) }
    json.member("total_tokens", usage.input + usage.output)
  }

  static func itemID(_ place: Int, _ answer: String) -> String { "item_\(place)_\(answer)" }

  /// An item of the output: each part is one of its own.
  static func writeItem(_ part: Part, _ place: Int, _ answer: String, _ status: String, into json: inout JSONWriter) {
    json.object {
      $0.member("id", itemID(place, answer))
      switch part {
      case .toolCall(let call):
        $0.member("type", "function_call")
        $0.member("call_id", call.id)
        $0.member("name", call.name)
        $0.member("arguments", status == "completed" && call.arguments.isEmpty ? "{}" : call.arguments)
      case .image(let image, _):
        $0.member("type", "image_generation_call")
        if status == "completed", case .data(let type, let base64) = image {
          $0.member("output_format", "\(type.split(separator: "/").last ?? "png")")
          $0.member("result", base64)
        } else {
          $0.nullMember("result")
        }
      case .reasoning(let thought): write(thought, isWhole: status == "completed", into: &$0)
      default:
        $0.member("type", "message")
        $0.member("role", "assistant")
        $0.array("content") { if status == "completed" { writePart(part, into: &$0) } }
      }
      $0.member("status", status)
    }
  }

  static func writePart(_ part: Part, into json: inout JSONWriter) {
    json.object {
      switch part {
      case .refusal(let text):
        $0.member("type", "refusal")
        $0.member("refusal", text)
      case .text(let text):
        $0.member("type", "output_text")
        $0.member("text", text)
        $0.array("annotations") { _ in }
        $0.array("logprobs") { _ in }
      // Items of their own.
      default: break
      }
    }
  }
}
