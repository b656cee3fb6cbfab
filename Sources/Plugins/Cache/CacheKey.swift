import Configuration
import HTTP
import Kernel
import PluginKit

/// What a request is for, as text that no two different requests share: scheme, host, path and query; behind them the
/// route, what plugins made of the path, and the values that the configuration names.
///
/// One for each instance, so that its memory serves one request after another.
struct CacheKey: ~Copyable {
  fileprivate(set) var text = ByteBuffer(capacity: 512)
  /// How much of `text` is scheme, host, path and query: what an unsafe method makes untrue.
  private(set) var resourceLength = 0
  private(set) var hostLength = 0
  private(set) var pathLength = 0
  /// Of `text` as a whole, and of the resource.
  private(set) var hash: UInt64 = 0
  fileprivate(set) var resourceHash: UInt64 = 0

  mutating func read(_ exchange: borrowing Exchange, _ values: [RequestValue], seed: UInt64) {
    text.removeAll()
    text.append(Self.scheme(exchange))
    hostLength = Self.append(host: exchange.host, isSecure: exchange.isSecure, to: &text)
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

  fileprivate static func scheme(_ exchange: borrowing Exchange) -> UInt8 {
    exchange.isSecure ? UInt8(ascii: "s") : UInt8(ascii: "p")
  }

  /// In lower case, without the port that the scheme has anyway; returns how long that is.
  fileprivate static func append(host: Span<UInt8>, isSecure: Bool, to out: inout ByteBuffer) -> Int {
    let port = ByteScan.bytes(of: isSecure ? ":443" : ":80")
    var count = host.count
    if count > port.count, ByteScan.equal(host.extracting(count - port.count..<count), port) { count -= port.count }
    if count > 0, host[count - 1] == UInt8(ascii: ".") { count -= 1 }
    for index in 0..<count { out.append(host[index] &- 0x41 < 26 ? host[index] | 0x20 : host[index]) }
    return count
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

extension CacheKey {
  /// Reads the resource that a reference of an answer means (RFC 3986 §5.2); false for one of another origin, and for what
  /// is no reference to a resource. Only `resourceHash` says something then.
  mutating func read(_ reference: Span<UInt8>, of exchange: borrowing Exchange, seed: UInt64) -> Bool {
    let reference = reference.extracting(0..<ByteScan.index(of: UInt8(ascii: "#"), in: reference))
    guard let start = Self.endOfOrigin(reference, exchange) else { return false }
    let question = ByteScan.index(of: UInt8(ascii: "?"), in: reference, from: start)
    let given = reference.extracting(start..<question)
    var path = ByteBuffer(capacity: 256)
    if given.isEmpty {
      if start > 0 { path.append("/") } else { path.append(exchange.path) }
    } else {
      if given[0] != UInt8(ascii: "/") { path.append(Self.directory(of: exchange.path)) }
      path.append(given)
    }
    text.removeAll()
    text.append(Self.scheme(exchange))
    _ = Self.append(host: exchange.host, isSecure: exchange.isSecure, to: &text)
    text.append(0)
    do throws(HTTPError) {
      if try !NormalizedPath.normalise(path.span, encodedSlashes: .keep, into: &text) { text.append(path.span) }
    } catch { return false }
    if question < reference.count {
      text.append(reference.extracting(question..<reference.count))
    } else if reference.isEmpty, exchange.request.head.hasQuery {
      text.append("?")
      text.append(exchange.query)
    }
    resourceHash = ByteScan.hash(text.span, seed: seed)
    return true
  }

  /// Where scheme and authority end, if there are any; nil where they are not those of the request.
  private static func endOfOrigin(_ reference: Span<UInt8>, _ exchange: borrowing Exchange) -> Int? {
    var start = 0
    while start < reference.count, reference[start] != UInt8(ascii: "/"), reference[start] != UInt8(ascii: "?") {
      if reference[start] == UInt8(ascii: ":") {
        let scheme = ByteScan.bytes(of: exchange.isSecure ? "https" : "http")
        guard ByteScan.equalIgnoringCase(reference.extracting(0..<start), scheme) else { return nil }
        return endOfAuthority(reference, from: start + 1, exchange)
      }
      start += 1
    }
    let namesAuthority =
      reference.count > 1 && reference[0] == UInt8(ascii: "/") && reference[1] == UInt8(ascii: "/")
    return namesAuthority ? endOfAuthority(reference, from: 0, exchange) : 0
  }

  private static func endOfAuthority(
    _ reference: Span<UInt8>, from slashes: Int, _ exchange: borrowing Exchange
  ) -> Int? {
    let start = slashes + 2
    guard start < reference.count, reference[slashes] == UInt8(ascii: "/"), reference[start - 1] == UInt8(ascii: "/")
    else { return nil }
    var end = start
    while end < reference.count, reference[end] != UInt8(ascii: "/"), reference[end] != UInt8(ascii: "?") { end += 1 }
    var named = ByteBuffer(capacity: 64)
    var asked = ByteBuffer(capacity: 64)
    _ = append(host: reference.extracting(start..<end), isSecure: exchange.isSecure, to: &named)
    _ = append(host: exchange.host, isSecure: exchange.isSecure, to: &asked)
    return ByteScan.equal(named.span, asked.span) ? end : nil
  }

  /// A path up to its last slash.
  @_lifetime(copy path)
  private static func directory(of path: Span<UInt8>) -> Span<UInt8> {
    var end = path.count
    while end > 0, path[end - 1] != UInt8(ascii: "/") { end -= 1 }
    return path.extracting(0..<end)
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
