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
    slot.exchange.isHTTP2 = connection.carrier != nil
    if slot.exchange.times.received == 0 { slot.exchange.times.received = loop.now }
    slot.exchange.peerIsTrusted = !current.shared.trusted.isEmpty && current.shared.trusted.contains(connection.peer)
    metrics.exchangeBegan(slot.exchange.request.method, isSecure: slot.exchange.isSecure)
    if slot.exchange.times.headComplete > 0 { slot.exchange.rpc = Self.dialect(&slot.exchange) }
    guard slot.exchange.peerIsTrusted, slot.exchange.times.headComplete > 0 else { return makeID(slot) }
    ForwardedFor.findClient(&slot.exchange, trusted: current.shared.trusted)
    if !RequestID.adopt(&slot.exchange) { makeID(slot) }
  }

  private static func dialect(_ exchange: inout Exchange) -> GRPC.Dialect {
    guard let type = exchange.request.header(.contentType) else { return .none }
    return GRPC.dialect(of: type)
  }

  private func makeID(_ slot: ExchangeSlot) {
    slot.exchange.id.append(sixteenDigits: random.next())
    slot.exchange.id.append(sixteenDigits: random.next())
  }

  /// Finds the route; nil when there is one that takes the request, and otherwise what becomes of it.
  func route(_ slot: ExchangeSlot, on connection: ServerConnection) -> Verdict? {
    var traits = PathTraits()
    switch slot.exchange.request.head.form {
    case .origin, .absolute:
      if slot.exchange.request.head.form == .absolute, !Self.isOfItsScheme(&slot.exchange) {
        return .fail(.schemeMismatch)
      }
      if !slot.exchange.request.head.pathIsNormal || slot.exchange.request.head.pathRange.isEmpty {
        do { traits = try slot.exchange.normalisePath() } catch { return .fail(.malformedRequest(error)) }
      }
    case .asterisk: return answerForServer(slot)
    case .authority: return .fail(.tunnelRefused)
    }
    let snapshot = current
    if let only {
      slot.route = snapshot.route(only: only)
      return nil
    }
    switch match(slot, snapshot, listener: connection.listener.index) {
    case .notFound: return .fail(.notFound)
    case .methodNotAllowed(let methods):
      slot.exchange.allowed = snapshot.shared.table.methodNames(methods).joined(separator: ", ")
      return .fail(.methodNotAllowed)
    case .route(let pattern, let path, _):
      let route = snapshot.route(ofPattern: pattern)
      slot.route = route
      slot.path = path
      slot.exchange.route = route.identities[path]
      return traits.hasEmptySegment || traits.hasEncodedSlash ? judge(slot, route, traits) : nil
    }
  }

  /// Whether an absolute target names the scheme of the connection that it came over (RFC 9110 §7.4). A trusted proxy
  /// speaks for connections of its own.
  private static func isOfItsScheme(_ exchange: inout Exchange) -> Bool {
    if exchange.peerIsTrusted { return true }
    let target = exchange.request.head.targetRange.bytes(in: exchange.request.source)
    return (target[4] | 0x20 == UInt8(ascii: "s")) == exchange.isSecure
  }

  /// What a route makes of a path that it may refuse or keep; nil when it takes it.
  private func judge(_ slot: ExchangeSlot, _ route: WorkerRoute, _ traits: PathTraits) -> Verdict? {
    if let refusal = traits.refusal(by: route.settings) { return .fail(.malformedRequest(refusal)) }
    guard traits.hasEmptySegment, route.settings.emptySegments == .keep else { return nil }
    do { try slot.exchange.keepEmptySegments() } catch { return .fail(.malformedRequest(error)) }
    return nil
  }

  /// Answers `OPTIONS *`, which asks about the server and not about a resource (RFC 9110 §9.3.7).
  private func answerForServer(_ slot: ExchangeSlot) -> Verdict {
    slot.exchange.response.begin(status: 204)
    slot.exchange.response.addHeader("Allow", current.shared.table.serverMethods)
    return .respond
  }

  private func match(_ slot: ExchangeSlot, _ snapshot: WorkerSnapshot, listener: Int) -> RouteMatch {
    var parameters = PathParameters()
    let match = Self.matchInPlace(
      &slot.exchange, snapshot.shared.table, listener: listener, parameters: &parameters)
    slot.exchange.parameters = parameters
    return match
  }

  /// The methods that are taken where a request goes, as `Allow` names them.
  func allowedMethods(_ slot: ExchangeSlot, _ route: WorkerRoute, on connection: ServerConnection) -> [String] {
    let names = Self.methods(&slot.exchange, route.snapshot.shared.table, listener: connection.listener.index)
    return names ?? MethodMask.standard.filter { $0 != "CONNECT" }
  }

  /// Nil: any. A method that there is none of is refused with those that there are.
  private static func methods(_ exchange: inout Exchange, _ table: borrowing RouteTable, listener: Int) -> [String]? {
    var parameters = PathParameters()
    let request = RouteRequest(
      path: exchange.path, host: exchange.host, method: ByteScan.bytes(of: ""), preflightMethod: nil,
      listener: listener)
    guard case .methodNotAllowed(let methods) = table.match(request, exchange, parameters: &parameters) else {
      return nil
    }
    return table.methodNames(methods.union(.options))
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
