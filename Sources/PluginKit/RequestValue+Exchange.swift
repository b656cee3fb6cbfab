public import Configuration
import HTTP
public import Kernel

/// Reading a value of the request from an exchange.
extension RequestValue {
  /// A hash of the value, mixed with `seed`; nil when the request has none.
  ///
  /// With a random seed nobody outside can choose values whose hashes meet; with a fixed one it is the same everywhere.
  public func hash(in exchange: borrowing Exchange, seed: UInt64) -> UInt64? {
    if case .ip = self { return exchange.client.hash(seed: seed) }
    var hash: UInt64?
    read(exchange) { hash = ByteScan.hash($0, seed: seed) }
    return hash
  }

  /// Appends the value as text; false, with nothing appended, when the request has none.
  public func append(of exchange: borrowing Exchange, to out: inout ByteBuffer) -> Bool {
    if case .ip = self {
      exchange.client.append(to: &out)
      return true
    }
    var isThere = false
    read(exchange) {
      out.append($0)
      isThere = true
    }
    return isThere
  }

  /// Calls `body` with the value's bytes, once or not at all.
  private func read(_ exchange: borrowing Exchange, _ body: (Span<UInt8>) -> Void) {
    switch self {
    case .ip: break
    case .consumer: if let name = exchange.consumer { body(name.utf8Span.span) }
    case .user: if let name = exchange.user { body(name.utf8Span.span) }
    case .route: if let route = exchange.route { body(route.name.utf8Span.span) }
    case .header(let name): if let value = exchange.request.header(named: name) { body(value) }
    case .query(let name):
      if let range = QueryParameters.first(name.utf8Span.span, in: exchange.query) {
        body(exchange.query.extracting(range))
      }
    case .cookie(let name): readCookie(name, exchange, body)
    case .jwt(let name): if let claim = exchange.identity?.claims[name] { body(claim.text.utf8Span.span) }
    case .path(let name):
      guard let route = exchange.route, let index = route.parameterNames.firstIndex(of: name),
        index < exchange.parameters.count
      else { return }
      body(exchange.path.extracting(exchange.parameters[index]))
    }
  }

  private func readCookie(_ name: String, _ exchange: borrowing Exchange, _ body: (Span<UInt8>) -> Void) {
    var isFound = false
    exchange.request.head.headers.forEachValue(of: .cookie, in: exchange.request.source) { field in
      guard !isFound, let range = Cookies.first(name.utf8Span.span, in: field) else { return }
      isFound = true
      body(field.extracting(range))
    }
  }
}

extension IPAddress {
  /// A hash of the address, mixed with `seed`.
  public func hash(seed: UInt64) -> UInt64 {
    Hash.fold(Hash.fold(seed ^ high, 0xa076_1d64_78bd_642f) ^ low, seed ^ 0xe703_7ed1_a0b4_28db)
  }
}

/// Mixing of numbers.
public enum Hash {
  /// Both halves of the product of two numbers, folded into one: every bit of either changes about half of it.
  @inline(__always)
  public static func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let product = a.multipliedFullWidth(by: b)
    return product.high ^ product.low
  }
}
