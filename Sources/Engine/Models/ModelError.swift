import AI
import HTTP
import JSON
import Kernel
import PluginKit

/// Errors in the shape of the dialect that the client speaks.
enum ModelError {
  static func render(_ failure: Failure, _ front: Front, _ origin: Fault.Origin, into exchange: inout Exchange) {
    exchange.response.begin(status: failure.answerStatus)
    exchange.response.addHeader("Content-Type", "application/json")
    exchange.response.addHeader("X-Fault", origin.rawValue)
    var json = JSONWriter()
    front.write(failure, into: &json)
    exchange.response.body.append(json.buffer.span)
  }
}

extension FaultPage {
  /// A fault as clients of models read it.
  static func renderModelError(_ fault: Fault, into exchange: inout Exchange) {
    let note = exchange.faultNote.isEmpty ? "" : " " + exchange.faultNote
    var failure = Failure(kind(of: fault), "\(fault.detail)\(note)", status: fault.status)
    failure.isFiltered = ["guardrail", "answer_denied"].contains("\(fault.reason)")
    let front: Front =
      switch exchange.faultShape {
      case .anthropic: .messages
      case .gemini: .generate
      case .openai, .problem, .call: .chat
      }
    ModelError.render(failure, front, fault.origin, into: &exchange)
    if fault.retryAfter > 0 { exchange.response.addHeader("Retry-After", "\(fault.retryAfter)") }
    if fault.isFinal { exchange.response.addHeader("x-should-retry", "false") }
    if fault.status == 405 { exchange.response.addHeader("Allow", exchange.allowed) }
  }
}

extension FaultPage {
  private static func kind(of fault: Fault) -> Failure.Kind {
    if fault.status == 404 { return .notFound }
    return "\(fault.reason)" == "insufficient_quota" ? .quota : Failure.kind(ofStatus: fault.status)
  }
}

/// The list of models, in the shape that the caller's fields ask for.
enum ModelList {
  static func render(_ names: [String], into exchange: inout Exchange) {
    let shape = exchange.faultShape
    var json = JSONWriter()
    json.object {
      if shape == .openai { $0.member("object", "list") }
      $0.array(shape == .gemini ? "models" : "data") { for name in names { write(name, shape, into: &$0) } }
      if shape == .anthropic {
        $0.member("has_more", false)
        if let first = names.first { $0.member("first_id", first) }
        if let last = names.last { $0.member("last_id", last) }
      }
    }
    respond(json.buffer.span, &exchange)
  }

  static func render(one name: String, into exchange: inout Exchange) {
    var json = JSONWriter()
    write(name, exchange.faultShape, into: &json)
    respond(json.buffer.span, &exchange)
  }

  private static func write(_ name: String, _ shape: FaultShape, into json: inout JSONWriter) {
    json.object {
      switch shape {
      case .gemini:
        $0.member("name", "models/\(name)")
        $0.member("displayName", name)
        $0.array("supportedGenerationMethods") {
          $0.value("generateContent")
          $0.value("streamGenerateContent")
        }
      case .anthropic:
        $0.member("id", name)
        $0.member("type", "model")
        $0.member("display_name", name)
        $0.member("created_at", "1970-01-01T00:00:00Z")
      default:
        $0.member("id", name)
        $0.member("object", "model")
        $0.member("created", 0)
        $0.member("owned_by", "sluice")
        // Mistral's clients ask for these. What a model can do is not known here.
        $0.member("type", "base")
        $0.object("capabilities") { _ in }
      }
    }
  }

  private static func respond(_ body: Span<UInt8>, _ exchange: inout Exchange) {
    exchange.response.begin(status: 200)
    exchange.response.addHeader("Content-Type", "application/json")
    exchange.response.body.append(body)
  }
}
