import HTTP
import Kernel
public import PluginKit
import Runtime

/// What a worker does for an exchange before and after its connection carries it.
extension Worker {
  /// Says who calls, when and under which id; fields are read only of a complete head.
  func begin(_ slot: ExchangeSlot, on connection: ServerConnection) {
    slot.exchange.began = Clock.wall
    slot.exchange.peer = connection.peer
    slot.exchange.client = connection.peer
    slot.exchange.listener = connection.listener.name
    slot.exchange.isSecure = connection.security != nil
    slot.exchange.clientCertificate = connection.security?.certificate
    if slot.exchange.times.received == 0 { slot.exchange.times.received = loop.now }
    slot.exchange.peerIsTrusted = !current.shared.trusted.isEmpty && current.shared.trusted.contains(connection.peer)
    metrics.exchangeBegan(slot.exchange.request.method, isSecure: slot.exchange.isSecure)
    guard slot.exchange.peerIsTrusted, slot.exchange.times.headComplete > 0 else { return makeID(slot) }
    ForwardedFor.findClient(&slot.exchange, trusted: current.shared.trusted)
    if !RequestID.adopt(&slot.exchange) { makeID(slot) }
  }

  private func makeID(_ slot: ExchangeSlot) {
    slot.exchange.id.append(sixteenDigits: random.next())
    slot.exchange.id.append(sixteenDigits: random.next())
  }

  /// Finds the route; a fault when there is none, or when the path cannot be read in one way only.
  func route(_ slot: ExchangeSlot, on connection: ServerConnection) -> Fault? {
    var slashes = false
    switch slot.exchange.request.head.form {
    case .origin, .absolute:
      if !slot.exchange.request.head.pathIsNormal || slot.exchange.request.head.pathRange.isEmpty {
        do { try normalisePath(slot) } catch { return .malformedRequest(error) }
        slashes = hasEncodedSlash(slot.exchange.path)
      }
    case .asterisk, .authority: return .notFound
    }
    let snapshot = current
    if let only {
      slot.route = snapshot.route(only: only)
      return nil
    }
    switch match(slot, snapshot, listener: connection.listener.index) {
    case .notFound: return .notFound
    case .methodNotAllowed(let methods):
      slot.exchange.allowed = snapshot.shared.table.methodNames(methods).joined(separator: ", ")
      return .methodNotAllowed
    case .route(let pattern, let path, _):
      let route = snapshot.route(ofPattern: pattern)
      slot.route = route
      slot.path = path
      slot.exchange.route = route.identities[path]
      return slashes && route.refusesEncodedSlashes ? .malformedRequest(.encodedSlash) : nil
    }
  }

  private func normalisePath(_ slot: ExchangeSlot) throws(HTTPError) {
    var normal = ByteBuffer(capacity: 256)
    let changed = try Self.normalise(slot.exchange, into: &normal)
    slot.exchange.normalizedPath.removeAll()
    slot.exchange.normalizedPath.append(normal.span)
    slot.exchange.pathIsNormalized = changed
  }

  private static func normalise(
    _ exchange: borrowing Exchange, into out: inout ByteBuffer
  ) throws(HTTPError) -> Bool {
    let path = exchange.request.head.pathRange.bytes(in: exchange.request.source)
    return try NormalizedPath.normalise(path, encodedSlashes: .keep, into: &out)
  }

  /// Whether a normalised path has `%2F` or `%5C`.
  private func hasEncodedSlash(_ path: Span<UInt8>) -> Bool {
    var index = ByteScan.index(of: UInt8(ascii: "%"), in: path)
    while index + 2 < path.count {
      let high = path[index + 1]
      let low = path[index + 2]
      if high == UInt8(ascii: "2") && low == UInt8(ascii: "F") { return true }
      if high == UInt8(ascii: "5") && low == UInt8(ascii: "C") { return true }
      index = ByteScan.index(of: UInt8(ascii: "%"), in: path, from: index + 1)
    }
    return false
  }

  private func match(_ slot: ExchangeSlot, _ snapshot: WorkerSnapshot, listener: Int) -> RouteMatch {
    var parameters = PathParameters()
    let match = Self.matchInPlace(
      &slot.exchange, snapshot.shared.table, listener: listener, parameters: &parameters)
    slot.exchange.parameters = parameters
    return match
  }

  /// By address: a borrow of the slot's property would copy the exchange.
  @inline(__always)
  private static func matchInPlace(
    _ exchange: inout Exchange, _ table: borrowing RouteTable, listener: Int, parameters: inout PathParameters
  ) -> RouteMatch {
    match(exchange, table, listener: listener, parameters: &parameters)
  }

  private static func match(
    _ exchange: borrowing Exchange, _ table: borrowing RouteTable, listener: Int, parameters: inout PathParameters
  ) -> RouteMatch {
    let preflight = exchange.request.method == .options ? exchange.request.header(.accessControlRequestMethod) : nil
    let request = RouteRequest(
      path: exchange.path, host: exchange.host, method: exchange.request.methodText, preflightMethod: preflight,
      listener: listener)
    return table.match(request, exchange, parameters: &parameters)
  }
}

/// The ids of exchanges.
enum RequestID {
  static let longest = 64

  /// Takes over the id that a trusted proxy sent; false when it sent none that is fit for a log.
  static func adopt(_ exchange: inout Exchange) -> Bool {
    var given = ByteBuffer(capacity: longest)
    copy(exchange, into: &given)
    exchange.id.append(given.span)
    return !given.isEmpty
  }

  private static func copy(_ exchange: borrowing Exchange, into out: inout ByteBuffer) {
    guard let given = exchange.request.header(.xRequestID), given.count <= longest,
      ByteScan.endOfToken(in: given, from: 0) == given.count
    else { return }
    out.append(given)
  }
}

/// What route conditions read: the request's fields and its query.
extension Exchange: RouteConditions {
  public func hasHeader(_ name: Span<UInt8>) -> Bool { request.header(named: name) != nil }

  public func hasHeader(_ name: Span<UInt8>, value: Span<UInt8>) -> Bool {
    var matching = 0
    var all = 0
    request.head.headers.forEachValue(named: name, in: request.source) { found in
      all += 1
      if ByteScan.equal(found, value) { matching += 1 }
    }
    return all == 1 && matching == 1
  }

  public func hasQuery(_ name: Span<UInt8>) -> Bool { QueryParameters.count(name, in: query) > 0 }

  public func hasQuery(_ name: Span<UInt8>, value: Span<UInt8>) -> Bool {
    QueryParameters.isOnly(name, value: value, in: query)
  }
}
