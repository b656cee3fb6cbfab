import AI
import JSON
import Kernel

/// A stand-in for a model, and none: it answers Chat Completions with what it was told, the same every time.
///
/// It streams, calls the first tool that it is offered, fills in what a schema asks for, embeds texts by their words, and
/// counts words as tokens.
/// So everything around models can be tried without a key, a network or a bill.
final class ModelStandIn: DemoService {
  let name = "model-stand-in"
  static let model = "stand-in"

  private static let chunkDelay = 5_000_000

  func answer(to request: DemoRequest) -> DemoAnswer {
    switch (request.method, request.path) {
    case ("GET", "/healthz"): return DemoAnswer(text: "ok\n")
    case ("GET", "/v1/models"): return DemoAnswer(json: models())
    case ("POST", "/v1/chat/completions"): return complete(request.body)
    case ("POST", "/v1/embeddings"): return embed(request.body)
    default: return refusal(404, "\(name) has no \(request.method) \(request.path)")
    }
  }

  private func models() -> JSONWriter {
    var json = JSONWriter()
    json.object {
      $0.member("object", "list")
      $0.array("data") {
        $0.object {
          $0.member("id", Self.model)
          $0.member("object", "model")
          $0.member("created", 0)
          $0.member("owned_by", name)
        }
      }
    }
    return json
  }

  private func complete(_ body: [UInt8]) -> DemoAnswer {
    guard let request = try? JSONElement(parsing: body), let messages = request["messages"]?.elements else {
      return refusal(400, "send messages")
    }
    switch request["model"]?.string {
    case Self.model: break
    case "stand-in-busy":
      var answer = refusal(429, "the stand-in is busy, as its name says")
      answer.fields.append(("Retry-After", "7"))
      return answer
    default: return refusal(404, "the stand-in has one model: \(Self.model)")
    }
    let reply = StandInReply(request, messages)
    guard request["stream"]?.flag == true else { return DemoAnswer(json: reply.whole()) }
    var answer = DemoAnswer(text: "")
    answer.contentType = "text/event-stream"
    answer.chunks = reply.chunks(showsUsage: request["stream_options"]?["include_usage"]?.flag == true)
    answer.chunkDelay = Self.chunkDelay
    return answer
  }

  private func embed(_ body: [UInt8]) -> DemoAnswer {
    guard let request = try? JSONElement(parsing: body), let embeddings = StandInEmbeddings(request) else {
      return refusal(400, "send texts as input")
    }
    guard request["model"]?.string == Self.model else {
      return refusal(404, "the stand-in has one model: \(Self.model)")
    }
    return DemoAnswer(json: embeddings.answer(model: Self.model))
  }

  private func refusal(_ status: Int, _ message: String) -> DemoAnswer {
    var json = JSONWriter()
    json.object {
      $0.object("error") {
        $0.member("message", message)
        $0.member("type", "invalid_request_error")
        $0.key("param")
        $0.null()
        $0.key("code")
        $0.null()
      }
    }
    return DemoAnswer(status, json: json)
  }
}
