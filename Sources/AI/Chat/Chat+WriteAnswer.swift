import JSON
import Kernel

extension Chat {
  static func write(_ answer: Answer, into json: inout JSONWriter) {
    json.object {
      $0.member("id", answer.head.id)
      $0.member("object", "chat.completion")
      $0.member("created", answer.head.created)
      $0.member("model", answer.head.model)
      $0.array("choices") {
        $0.object {
          $0.member("index", 0)
          $0.object("message") { writeMessage(answer.parts, into: &$0) }
          $0.nullMember("logprobs")
          $0.member("finish_reason", word(of: answer.finish))
        }
      }
      $0.object("usage") { write(answer.usage, into: &$0) }
    }
  }

  private static func writeMessage(_ parts: [Part], into json: inout JSONWriter) {
    var text: String?
    var refusal: String?
    var thoughts: [Thought] = []
    var calls: [ToolCall] = []
    var images: [(type: String, base64: String)] = []
    for part in parts {
      switch part {
      case .text(let piece): text = (text ?? "") + piece
      case .refusal(let piece): refusal = (refusal ?? "") + piece
      case .reasoning(let thought): thoughts.append(thought)
      case .toolCall(let call): calls.append(call)
      case .image(.data(let type, let base64), _): images.append((type, base64))
      default: break
      }
    }
    json.member("role", "assistant")
    if let text { json.member("content", text) } else { json.nullMember("content") }
    if let refusal { json.member("refusal", refusal) } else { json.nullMember("refusal") }
    writeThoughts(thoughts, into: &json)
    if !images.isEmpty { writeImages(images, into: &json) }
    if !calls.isEmpty { writeCalls(calls, signed: true, into: &json) }
  }

  static func writeImages(_ images: [(type: String, base64: String)], into json: inout JSONWriter) {
    json.array("images") {
      for image in images {
        $0.object {
          $0.member("type", "image_url")
          $0.object("image_url") { $0.member("url", "data:\(image.type);base64,\(image.base64)") }
        }
      }
    }
  }

  static func word(of finish: Finish) -> String { finish.reason == .refusal ? "stop" : finish.reason.rawValue }

  static func write(_ usage: Usage, into json: inout JSONWriter) {
    json.member("prompt_tokens", usage.input)
    json.member("completion_tokens", usage.output)
    json.member("total_tokens", usage.input + usage.output)
    json.object("prompt_tokens_details") {
      $0.member("cached_tokens", usage.cachedInput)
      $0.member("cache_write_tokens", usage.writtenInput)
    }
    json.object("completion_tokens_details") { $0.member("reasoning_tokens", usage.reasoning) }
  }

  /// The error object, also within a stream.
  static func write(_ failure: Failure, into json: inout JSONWriter) {
    json.object {
      $0.object("error") {
        $0.member("message", failure.message)
        $0.member("type", type(of: failure.kind))
        if let field = failure.field { $0.member("param", field) } else { $0.nullMember("param") }
        if let code = failure.isFiltered ? "content_filter" : code(of: failure.kind) {
          $0.member("code", code)
        } else {
          $0.nullMember("code")
        }
      }
    }
  }

  private static func type(of kind: Failure.Kind) -> String {
    switch kind {
    case .invalidRequest, .notFound, .tooLarge, .authentication: "invalid_request_error"
    case .permission: "permission_error"
    case .rateLimited: "rate_limit_error"
    case .quota: "insufficient_quota"
    case .overloaded, .timeout, .server: "server_error"
    }
  }

  private static func code(of kind: Failure.Kind) -> String? {
    switch kind {
    case .authentication: "invalid_api_key"
    case .notFound: "not_found"
    case .rateLimited: "rate_limit_exceeded"
    case .quota: "insufficient_quota"
    case .tooLarge: "request_too_large"
    default: nil
    }
  }

  /// Writes `chat.completion.chunk`s.
  struct Writer: StreamWriter {
    private var head: AnswerHead
    /// Whether the client asked for the chunk with the usage.
    private let showsUsage: Bool
    private var call = -1
    /// Of the tool call that follows.
    private var signature: String?
    private var thoughts = ThoughtRecorder()
    private var usage = Usage()

    init(_ head: AnswerHead, showsUsage: Bool) {
      self.head = head
      self.showsUsage = showsUsage
    }

    mutating func write(_ event: Event, into out: inout ByteBuffer) {
      for (thought, place) in thoughts.take(event) { proof(of: thought, place, into: &out) }
      switch event {
      case .begin(let begun):
        if !begun.id.isEmpty { head.id = begun.id }
        if !begun.model.isEmpty { head.model = begun.model }
        if begun.created > 0 { head.created = begun.created }
        delta(into: &out) {
          $0.member("role", "assistant")
          $0.member("content", "")
        }
      case .text(let text): delta(into: &out) { $0.member("content", text) }
      case .refusal(let text): delta(into: &out) { $0.member("refusal", text) }
      case .reasoning(let text): delta(into: &out) { $0.member("reasoning_content", text) }
      case .reasoningSignature, .opaqueReasoning: break
      case .image(let type, let base64): delta(into: &out) { Chat.writeImages([(type, base64)], into: &$0) }
      case .toolSignature(let signature): self.signature = signature
      case .toolCall(let id, let name):
        call += 1
        let index = call
        let signature = signature
        self.signature = nil
        tool(index, into: &out) {
          $0.member("id", id)
          $0.member("type", "function")
          $0.object("function") {
            $0.member("name", name)
            $0.member("arguments", "")
          }
          if let signature { Chat.writeSignature(signature, into: &$0) }
        }
      case .toolArguments(let text):
        tool(call, into: &out) { $0.object("function") { $0.member("arguments", text) } }
      case .finish(let finish): chunk(into: &out, finish: finish) { _ in }
      case .usage(let usage): self.usage = usage
      case .end:
        if showsUsage { usageChunk(into: &out) }
        out.append("data: [DONE]\n\n")
      case .failure(let failure): send(into: &out) { Chat.write(failure, into: &$0) }
      }
    }

    /// Says a thought once more, whole and with its proof, for clients that send it back.
    private func proof(of thought: Thought, _ place: Int, into out: inout ByteBuffer) {
      delta(into: &out) { $0.array("reasoning_details") { Chat.writeDetail(thought, place, into: &$0) } }
    }

    private func tool(_ index: Int, into out: inout ByteBuffer, _ body: (inout JSONWriter) -> Void) {
      delta(into: &out) {
        $0.array("tool_calls") {
          $0.object {
            $0.member("index", index)
            body(&$0)
          }
        }
      }
    }

    private func delta(into out: inout ByteBuffer, _ body: (inout JSONWriter) -> Void) {
      chunk(into: &out, finish: nil, body)
    }

    private func chunk(into out: inout ByteBuffer, finish: Finish?, _ body: (inout JSONWriter) -> Void) {
      send(into: &out) {
        $0.object {
          members(into: &$0)
          $0.array("choices") {
            $0.object {
              $0.member("index", 0)
              $0.object("delta", body)
              if let finish {
                $0.member("finish_reason", Chat.word(of: finish))
              } else {
                $0.nullMember("finish_reason")
              }
            }
          }
          if showsUsage { $0.nullMember("usage") }
        }
      }
    }

    private func usageChunk(into out: inout ByteBuffer) {
      let usage = usage
      send(into: &out) {
        $0.object {
          members(into: &$0)
          $0.array("choices") { _ in }
          $0.object("usage") { Chat.write(usage, into: &$0) }
        }
      }
    }

    private func members(into json: inout JSONWriter) {
      json.member("id", head.id)
      json.member("object", "chat.completion.chunk")
      json.member("created", head.created)
      json.member("model", head.model)
    }

    private func send(into out: inout ByteBuffer, _ body: (inout JSONWriter) -> Void) {
      EventText.append(nil, to: &out, body)
    }
  }
}
