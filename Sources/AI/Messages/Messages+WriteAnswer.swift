import JSON
import Kernel

extension Messages {
  static func write(_ answer: Answer, into json: inout JSONWriter) {
    json.object {
      $0.member("id", answer.head.id)
      $0.member("type", "message")
      $0.member("role", "assistant")
      $0.member("model", answer.head.model)
      $0.array("content") { for part in answer.parts { writeBlock(part, into: &$0) } }
      write(answer.finish, into: &$0)
      $0.object("usage") { write(answer.usage, into: &$0) }
    }
  }

  private static func writeBlock(_ part: Part, into json: inout JSONWriter) {
    switch part {
    case .text(let text), .refusal(let text): writeText(text, into: &json)
    case .toolCall(let call):
      json.object {
        $0.member("type", "tool_use")
        $0.member("id", call.id)
        $0.member("name", call.name)
        $0.member("input", literal: argumentsObject(call.arguments) ?? "{}")
      }
    case .reasoning(.text(let text, let signature)):
      json.object {
        $0.member("type", "thinking")
        $0.member("thinking", text)
        $0.member("signature", signature ?? "")
      }
    case .reasoning(.opaque(let data)):
      json.object {
        $0.member("type", "redacted_thinking")
        $0.member("data", data)
      }
    // No model answers with these in the dialects that are read.
    case .image, .file, .toolResult: break
    }
  }

  static func write(_ finish: Finish, into json: inout JSONWriter) {
    json.member("stop_reason", word(of: finish))
    if let sequence = finish.sequence, !sequence.isEmpty {
      json.member("stop_sequence", sequence)
    } else {
      json.nullMember("stop_sequence")
    }
  }

  private static func word(of finish: Finish) -> String {
    switch finish.reason {
    case .stop: finish.sequence == nil ? "end_turn" : "stop_sequence"
    case .length: "max_tokens"
    case .toolCalls: "tool_use"
    case .filtered, .refusal: "refusal"
    }
  }

  static func write(_ usage: Usage, into json: inout JSONWriter) {
    json.member("input_tokens", max(0, usage.input - usage.cachedInput - usage.writtenInput))
    json.member("cache_creation_input_tokens", usage.writtenInput)
    json.member("cache_read_input_tokens", usage.cachedInput)
    json.member("output_tokens", usage.output)
  }

  static func write(_ failure: Failure, into json: inout JSONWriter) {
    json.object {
      $0.member("type", "error")
      $0.object("error") {
        $0.member("type", type(of: failure.kind))
        $0.member("message", failure.message)
      }
    }
  }

  private static func type(of kind: Failure.Kind) -> String {
    switch kind {
    case .invalidRequest: "invalid_request_error"
    case .authentication: "authentication_error"
    case .permission: "permission_error"
    case .notFound: "not_found_error"
    case .tooLarge: "request_too_large"
    case .rateLimited: "rate_limit_error"
    case .quota: "billing_error"
    case .overloaded: "overloaded_error"
    case .timeout: "timeout_error"
    case .server: "api_error"
    }
  }

  /// Writes a stream: blocks one after the other, each begun, continued and ended.
  struct Writer: StreamWriter {
    private enum Block { case text, thinking, tool }

    private var head: AnswerHead
    private var block: Block?
    private var index = -1
    private var finish = Finish(.stop)
    private var usage = Usage()

    init(_ head: AnswerHead) { self.head = head }

    mutating func write(_ event: Event, into out: inout ByteBuffer) {
      switch event {
      case .begin(let begun):
        if !begun.id.isEmpty { head.id = begun.id }
        if !begun.model.isEmpty { head.model = begun.model }
        begin(into: &out)
      case .text(let text), .refusal(let text):
        open(.text, into: &out) {
          $0.member("type", "text")
          $0.member("text", "")
        }
        delta("text_delta", "text", text, into: &out)
      case .reasoning(let text):
        openThinking(into: &out)
        delta("thinking_delta", "thinking", text, into: &out)
      case .reasoningSignature(let signature):
        openThinking(into: &out)
        delta("signature_delta", "signature", signature, into: &out)
      // Here is no place for it beside a call, and images end the answer before they come here.
      case .toolSignature, .image: break
      case .opaqueReasoning(let data):
        close(into: &out)
        start(into: &out) {
          $0.member("type", "redacted_thinking")
          $0.member("data", data)
        }
        stop(into: &out)
      case .toolCall(let id, let name):
        close(into: &out)
        open(.tool, into: &out) {
          $0.member("type", "tool_use")
          $0.member("id", id)
          $0.member("name", name)
          $0.object("input") { _ in }
        }
      case .toolArguments(let text): delta("input_json_delta", "partial_json", text, into: &out)
      case .finish(let finish): self.finish = finish
      case .usage(let usage): self.usage = usage
      case .end: end(into: &out)
      case .failure(let failure): EventText.append("error", to: &out) { Messages.write(failure, into: &$0) }
      }
    }

    private func begin(into out: inout ByteBuffer) {
      let (head, usage) = (head, usage)
      EventText.append("message_start", to: &out) {
        $0.object {
          $0.member("type", "message_start")
          $0.object("message") {
            $0.member("id", head.id)
            $0.member("type", "message")
            $0.member("role", "assistant")
            $0.member("model", head.model)
            $0.array("content") { _ in }
            $0.nullMember("stop_reason")
            $0.nullMember("stop_sequence")
            $0.object("usage") { Messages.write(usage, into: &$0) }
          }
        }
      }
    }

    private mutating func openThinking(into out: inout ByteBuffer) {
      open(.thinking, into: &out) {
        $0.member("type", "thinking")
        $0.member("thinking", "")
        $0.member("signature", "")
      }
    }

    /// Begins a block unless one of this kind is under way.
    private mutating func open(_ kind: Block, into out: inout ByteBuffer, _ content: (inout JSONWriter) -> Void) {
      if block == kind { return }
      close(into: &out)
      start(into: &out, content)
      block = kind
    }

    private mutating func start(into out: inout ByteBuffer, _ content: (inout JSONWriter) -> Void) {
      index += 1
      let index = index
      EventText.append("content_block_start", to: &out) {
        $0.object {
          $0.member("type", "content_block_start")
          $0.member("index", index)
          $0.object("content_block", content)
        }
      }
    }

    private mutating func close(into out: inout ByteBuffer) {
      if block != nil { stop(into: &out) }
      block = nil
    }

    private func stop(into out: inout ByteBuffer) {
      EventText.append("content_block_stop", to: &out) {
        $0.object {
          $0.member("type", "content_block_stop")
          $0.member("index", index)
        }
      }
    }

    private func delta(_ type: String, _ key: String, _ text: String, into out: inout ByteBuffer) {
      EventText.append("content_block_delta", to: &out) {
        $0.object {
          $0.member("type", "content_block_delta")
          $0.member("index", index)
          $0.object("delta") {
            $0.member("type", type)
            $0.member(key, text)
          }
        }
      }
    }

    private mutating func end(into out: inout ByteBuffer) {
      close(into: &out)
      let (finish, usage) = (finish, usage)
      EventText.append("message_delta", to: &out) {
        $0.object {
          $0.member("type", "message_delta")
          $0.object("delta") { Messages.write(finish, into: &$0) }
          $0.object("usage") { Messages.write(usage, into: &$0) }
        }
      }
      EventText.append("message_stop", to: &out) { $0.object { $0.member("type", "message_stop") } }
    }
  }
}
