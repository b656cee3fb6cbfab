import Configuration
import HTTP
import Kernel
import PluginKit

/// What a request is for, as text that no two different requests share: scheme, host, path and query; behind them the
/// route, what plugins made of the path, and the values that the configuration names.
///
/// One for each instance, so that its memory serves one request after another.
struct CacheKey: ~Copyable {
  private(set) var text = ByteBuffer(capacity: 512)
  /// How much of `text` is scheme, host, path and query: what an unsafe method makes untrue.
  private(set) var resourceLength = 0
  private(set) var hostLength = 0
  private(set) var pathLength = 0
  /// Of `text` as a whole, and of the resource.
  private(set) var hash: UInt64 = 0
  private(set) var resourceHash: UInt64 = 0

  mutating func read(_ exchange: borrowing Exchange, _ values: [RequestValue], seed: UInt64) {
    text.removeAll()
    text.append(exchange.isSecure ? UInt8(ascii: "s") : UInt8(ascii: "p"))
    appendHost(exchange)
    text.append(0)
    text.append(exchange.path)
    pathLength = exchange.path.count
    if exchange.request.head.hasQuery {
      text.append(UInt8(ascii: "?"))
      text.append(exchange.query)
    }
    resourceLength = text.count
    resourceHash = ByteScan.hash(text.span, seed: seed)
    text.append(0)
    if let route = exchange.route { text.append(route.name) }
    text.append(0)
    Self.append(exchange.forwardedPath, to: &text)
    Self.append(exchange.forwardedQuery, to: &text)
    for value in values { append(value, exchange) }
    hash = ByteScan.hash(text.span, seed: seed)
  }

  /// In lower case, without the port that the scheme has anyway.
  private mutating func appendHost(_ exchange: borrowing Exchange) {
    let host = exchange.host
    let port = ByteScan.bytes(of: exchange.isSecure ? ":443" : ":80")
    var count = host.count
    if count > port.count, ByteScan.equal(host.extracting(count - port.count..<count), port) { count -= port.count }
    if count > 0, host[count - 1] == UInt8(ascii: ".") { count -= 1 }
    for index in 0..<count { text.append(host[index] &- 0x41 < 26 ? host[index] | 0x20 : host[index]) }
    hostLength = count
  }

  /// Values may hold any byte, so each says its length.
  private mutating func append(_ value: RequestValue, _ exchange: borrowing Exchange) {
    var part = ByteBuffer(capacity: 64)
    guard value.append(of: exchange, to: &part) else { return text.append("-") }
    text.append(decimal: part.count)
    text.append(":")
    text.append(part.span)
  }

  private static func append(_ edited: borrowing ByteBuffer?, to out: inout ByteBuffer) {
    switch edited {
    case .some(let edited):
      out.append(decimal: edited.count)
      out.append(":")
      out.append(edited.span)
    case .none: out.append("-")
    }
  }
}

extension RequestValue {
  /// Whether it keeps callers apart, so that what is for one of them may be kept.
  var namesCaller: Bool {
    switch self {
    case .consumer, .user, .jwt, .header("authorization"): true
    default: false
    }
  }
}
