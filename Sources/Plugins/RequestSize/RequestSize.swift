public import Configuration
import HTTP
public import PluginKit

/// Limits how large requests may be, beside the limits that the gateway has for all.
public final class RequestSize: Plugin {
  public struct Settings: Sendable {
    var body: Int?
    var head: Int?
    var target: Int?
  }

  public static let section = Section(
    "request_size", Settings(), "Limits how large requests may be.", shorthand: "body",
    [
      Keyword("body", \.body, .size(in: 0...(1 << 50)), "The longest body; a longer one gets 413."),
      Keyword(
        "head", \.head, .size(in: 64...(1 << 20)), "The longest head, request line and fields; a longer one gets 431."),
      Keyword(
        "target", \.target, .size(in: 1...(1 << 20)), "The longest path with its query; a longer one gets 414."),
    ],
    check: { settings, node, reading in
      if settings.body != nil || settings.head != nil || settings.target != nil { return }
      reading.error("`request_size` limits nothing", at: node.position, expected: "`body`, `head` or `target`")
    })

  public static let metrics = [refusals]

  private static let refusals = PluginMetric(
    "sluice_request_size_refused", .counter, labels: ["part"],
    "Requests that a size limit refused by their head; part is body, head or target. Bodies that grow too large on "
      + "their way count as faults only.")

  private let body: Int
  private let head: Int
  private let target: Int
  private let refusedBody: PluginCounter
  private let refusedHead: PluginCounter
  private let refusedTarget: PluginCounter

  public init(_ settings: Settings, _ services: any WorkerServices) {
    body = settings.body ?? .max
    head = settings.head ?? .max
    target = settings.target ?? .max
    refusedBody = services.counter(Self.refusals, ["body"])
    refusedHead = services.counter(Self.refusals, ["head"])
    refusedTarget = services.counter(Self.refusals, ["target"])
  }
}

extension RequestSize {
  public func reason(for verdict: Verdict, of exchange: borrowing Exchange) -> String? {
    let length = exchange.path.count + (exchange.request.head.hasQuery ? exchange.query.count + 1 : 0)
    var words: [String] = []
    if target < .max { words.append("the target has \(length) of \(target) bytes") }
    if head < .max { words.append("the head \(exchange.request.head.length) of \(head)") }
    if body < .max {
      if case .length(let count) = exchange.request.head.framing {
        words.append("the body \(count) of \(body)")
      } else {
        words.append("the body at most \(body)")
      }
    }
    return words.joined(separator: ", ")
  }
}

extension RequestSize: RequestHeadHook {
  public func onRequestHead(_ exchange: inout Exchange) -> Verdict {
    if exchange.path.count + (exchange.request.head.hasQuery ? exchange.query.count + 1 : 0) > target {
      refusedTarget.add()
      return .fail(.targetTooLong)
    }
    if exchange.request.head.length > head {
      refusedHead.add()
      return .fail(.headTooLarge)
    }
    if case .length(let count) = exchange.request.head.framing, count > body {
      refusedBody.add()
      return .fail(.bodyTooLarge)
    }
    // What has no length is counted on its way.
    if body < exchange.requestBodyLimit { exchange.requestBodyLimit = body }
    return .proceed
  }
}

extension Fault {
  public static let targetTooLong = Fault(
    .client, 414, "target_too_long", "The request's path and query are longer than this route takes.")
  public static let headTooLarge = Fault(
    .client, 431, "head_too_large", "The request's head is larger than this route takes.")
}
