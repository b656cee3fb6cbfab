import Detection
import HTTP
import JSON
import Kernel
public import PluginKit

/// Takes personal data out of JSON bodies, both ways.
///
/// It fails closed: a body that it cannot read does not pass.
public final class Mask: Plugin {
  private let limit: Int
  private var request: BodyMask
  private var response: BodyMask
  private let writer: MaskWriter
  private var masked = ByteBuffer(capacity: 4096)
  private let counters: [String: PluginCounter]
  public let takesRequestBodies: Bool
  public let takesResponseBodies: Bool

  public static let metrics = [values]

  public static func readsAnswers(_ settings: Settings) -> Bool { !settings.response.isEmpty }

  private static let values = PluginMetric(
    "sluice_mask_values", .counter, labels: ["direction", "kind"],
    "Values that were masked; kind is path, email, phone, card, iban, ip, or expression. exhausted counts texts that are "
      + "masked whole because expressions took too long.")

  private static let kinds = ["path", "expression", "exhausted"] + Detector.allCases.map(\.rawValue)

  public init(_ settings: Settings, _ services: any WorkerServices) {
    limit = settings.limit
    request = BodyMask(settings.request)
    response = BodyMask(settings.response)
    takesRequestBodies = !settings.request.isEmpty
    takesResponseBodies = !settings.response.isEmpty
    writer = MaskWriter(settings.method)
    var counters: [String: PluginCounter] = [:]
    for direction in ["request", "response"] {
      for kind in Self.kinds { counters[direction + kind] = services.counter(Self.values, [direction, kind]) }
    }
    self.counters = counters
  }

  private func count(_ counts: [String: Int], _ direction: String) {
    for (kind, count) in counts {
      (counters[direction + kind] ?? counters[direction + "expression"])?.add(count)
    }
  }
}

extension Mask: RequestBodyHook {
  public func wantsRequestBody(_ exchange: inout Exchange) -> BodyWish? {
    takesRequestBodies && exchange.request.head.framing != .none ? BodyWish(limit: limit) : nil
  }

  public func onRequestBody(_ exchange: inout Exchange) -> Verdict {
    guard JSONType.isNamed(exchange.request.header(.contentType)) else { return .fail(.notJSON) }
    masked.removeAll()
    do throws(JSONError) {
      if try request.apply(to: exchange.request.body.span, writer, into: &masked) {
        exchange.request.exchangeBody(with: &masked)
      }
    } catch { return .fail(TransformFailure.malformed(error).fault(.request, &exchange)) }
    count(request.counts, "request")
    return .proceed
  }
}

extension Mask: ResponseBodyHook {
  public func wantsResponseBody(_ exchange: inout Exchange) -> BodyWish? {
    guard takesResponseBodies, JSONType.isNamed(exchange.response.header(.contentType)) else { return nil }
    return BodyWish(limit: limit)
  }

  public func onResponseBody(_ exchange: inout Exchange) -> Verdict {
    masked.removeAll()
    do throws(JSONError) {
      if try response.apply(to: exchange.response.body.span, writer, into: &masked) {
        exchange.response.exchangeBody(with: &masked)
      }
    } catch { return .fail(TransformFailure.malformed(error).fault(.response, &exchange)) }
    count(response.counts, "response")
    return .proceed
  }
}
