public import Configuration
import HTTP
import JSON
import JSONSchema
import Kernel
public import PluginKit

/// Checks JSON bodies by a JSON Schema of draft 2020-12.
///
/// A request that violates it is refused with every violation; a response is passed on, counted and noted in the call log,
/// as its caller is not to blame.
public final class Validate: Plugin {
  public struct Settings: Sendable {
    var request = Side()
    var response = Side()
    var limit = 1 << 20
  }

  struct Side: Sendable {
    var schema: LoadedSchema?
  }

  public static let section = Section(
    "validate", Settings(), "Checks JSON bodies by a JSON Schema of draft 2020-12.",
    [
      Keyword(
        "request", \.request, .section(side("request")),
        "What requests are checked by; a violation is answered with 422 and all violations."),
      Keyword(
        "response", \.response, .section(side("response")),
        "What responses are checked by; violations are counted, and noted in the call log."),
      Keyword(
        "limit", \.limit, .size(in: 1...(1 << 28)),
        "The longest body that is checked; a longer request gets 413, a longer response passes unchecked."),
    ],
    check: { settings, node, reading in
      if settings.request.schema != nil || settings.response.schema != nil { return }
      reading.error("`validate` checks nothing", at: node.position, expected: "`request` or `response` with a `schema`")
    })

  private static func side(_ name: String) -> Section<Side> {
    Section(
      name, Side(), "What the bodies of a \(name) are checked by.", shorthand: "schema",
      [Keyword("schema", \.schema, .schema, "The path of a file with the schema, or the schema itself.")])
  }

  public static let metrics = [messages]

  private static let messages = PluginMetric(
    "sluice_validate_messages", .counter, labels: ["direction", "outcome"],
    "Bodies that were checked by a schema; outcome is valid, violated, or malformed: no JSON.")

  private struct Outcomes {
    let valid: PluginCounter
    let violated: PluginCounter
    let malformed: PluginCounter

    init(_ direction: String, _ services: any WorkerServices) {
      valid = services.counter(Validate.messages, [direction, "valid"])
      violated = services.counter(Validate.messages, [direction, "violated"])
      malformed = services.counter(Validate.messages, [direction, "malformed"])
    }
  }

  private let limit: Int
  private var request: SchemaValidator?
  private var response: SchemaValidator?
  private var document = JSONDocument()
  private let requests: Outcomes
  private let responses: Outcomes
  private let checksRequests: Bool
  private let checksResponses: Bool

  public init(_ settings: Settings, _ services: any WorkerServices) {
    limit = settings.limit
    request = settings.request.schema.map { SchemaValidator($0.schema) }
    response = settings.response.schema.map { SchemaValidator($0.schema) }
    checksRequests = settings.request.schema != nil
    checksResponses = settings.response.schema != nil
    requests = Outcomes("request", services)
    responses = Outcomes("response", services)
  }

  private enum Outcome {
    case valid
    case violated(Int)
    case malformed(JSONError)
  }

  /// - Parameter out: gets the violations as JSON; nil where nobody reads them.
  private static func check(
    _ body: Span<UInt8>, _ validator: inout SchemaValidator?, _ document: inout JSONDocument,
    to out: inout ByteBuffer
  ) -> Outcome {
    do throws(JSONError) { try document.parse(body) } catch { return .malformed(error) }
    guard validator?.validate(document, body) == false else { return .valid }
    out.append("\"violations\":")
    validator?.append(violationsOf: document, body, to: &out)
    return .violated(validator?.violations.count ?? 0)
  }
}

extension Validate: RequestBodyHook {
  public var takesRequestBodies: Bool { checksRequests }

  /// Methods that send something are to send it; others may have no body.
  public func wantsRequestBody(_ exchange: inout Exchange) -> BodyWish? {
    guard checksRequests else { return nil }
    switch exchange.request.method {
    case .get, .head, .delete, .options:
      return exchange.request.head.framing == .none ? nil : BodyWish(limit: limit)
    default: return BodyWish(limit: limit)
    }
  }

  public func onRequestBody(_ exchange: inout Exchange) -> Verdict {
    guard JSONType.isNamed(exchange.request.header(.contentType)) else {
      requests.malformed.add()
      return .fail(.notJSON)
    }
    var violations = ByteBuffer(capacity: 256)
    switch Self.check(exchange.request.body.span, &request, &document, to: &violations) {
    case .valid:
      requests.valid.add()
      return .proceed
    case .violated:
      requests.violated.add()
      exchange.faultMembers.append(violations.span)
      return .fail(.schemaViolated)
    case .malformed(let error):
      requests.malformed.add()
      return .fail(TransformFailure.malformed(error).fault(.request, &exchange))
    }
  }
}

extension Validate: ResponseBodyHook {
  public static func readsAnswers(_ settings: Settings) -> Bool { settings.response.schema != nil }

  public var takesResponseBodies: Bool { checksResponses }

  public func wantsResponseBody(_ exchange: inout Exchange) -> BodyWish? {
    guard checksResponses, let type = exchange.response.header(.contentType), JSONType.isNamed(type) else { return nil }
    return BodyWish(limit: limit, passesUnread: true)
  }

  public func onResponseBody(_ exchange: inout Exchange) -> Verdict {
    var violations = ByteBuffer(capacity: 256)
    switch Self.check(exchange.response.body.span, &response, &document, to: &violations) {
    case .valid: responses.valid.add()
    case .violated(let count):
      responses.violated.add()
      exchange.responseViolations += count
    case .malformed:
      responses.malformed.add()
      exchange.responseViolations += 1
    }
    return .proceed
  }
}

extension Fault {
  public static let schemaViolated = Fault(
    .client, 422, "schema_violated", "The body is not what this route takes; violations says where and why.")
}
