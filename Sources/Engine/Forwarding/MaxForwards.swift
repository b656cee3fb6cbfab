import HTTP
import Kernel
import PluginKit

/// How many more proxies an OPTIONS or TRACE may pass (RFC 9110 §7.6.2).
///
/// With none left the gateway is the last recipient, and answers. A trace is refused then: it would show the request's
/// fields to whoever made a browser send it, cookies and what proxies add among them (§9.3.8, §17.2).
extension ServerConnection {
  /// Counts this gateway off; other methods may leave the field as it is.
  func countForward(_ slot: ExchangeSlot, _ route: WorkerRoute) -> Verdict {
    let method = slot.exchange.request.method
    guard method == .options || method == .trace, slot.exchange.request.head.headers.contains(.maxForwards) else {
      return .proceed
    }
    guard let left = MaxForwards.remaining(in: slot.exchange.request) else { return .fail(.invalidMaxForwards) }
    if left > 0 {
      slot.exchange.request.setHeader("Max-Forwards", "\(left - 1)")
      return .proceed
    }
    let allowed = worker.allowedMethods(slot, route, on: self)
    if method == .trace {
      slot.exchange.allowed = allowed.filter { $0 != "TRACE" }.joined(separator: ", ")
      return .fail(.methodNotAllowed)
    }
    slot.exchange.response.begin(status: 204)
    slot.exchange.response.addHeader("Allow", allowed.joined(separator: ", "))
    return .respond
  }
}

private enum MaxForwards {
  /// The most that is counted; more is as much.
  private static let maximum = 1_000_000
  private static let digits = 32

  /// Nil where the field is repeated or no number.
  static func remaining(in request: borrowing RequestMessage) -> Int? {
    var values = 0
    var number: Int?
    request.head.headers.forEachValue(of: .maxForwards, in: request.source) {
      values += 1
      number = parse($0)
    }
    return values == 1 ? number : nil
  }

  private static func parse(_ text: Span<UInt8>) -> Int? {
    guard !text.isEmpty, text.count <= digits else { return nil }
    var number = 0
    for index in text.indices {
      let digit = text[index] &- UInt8(ascii: "0")
      guard digit <= 9 else { return nil }
      number = min(number * 10 + Int(digit), maximum)
    }
    return number
  }
}
