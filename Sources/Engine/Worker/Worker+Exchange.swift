import HTTP
import Kernel
import PluginKit
import Runtime

/// What a worker does for an exchange before and after its connection carries it.
extension Worker {
  /// Says who calls, when and under which id.
  func begin(_ slot: ExchangeSlot, on connection: ServerConnection) {
    slot.exchange.began = Clock.wall
    slot.exchange.peer = connection.peer
    slot.exchange.client = connection.peer
    slot.exchange.listener = connection.listener.name
    if slot.exchange.times.received == 0 { slot.exchange.times.received = loop.now }
    slot.exchange.peerIsTrusted = !current.shared.trusted.isEmpty && current.shared.trusted.contains(connection.peer)
    metrics.exchangeBegan()
    guard slot.exchange.peerIsTrusted else { return makeID(slot) }
    ForwardedFor.findClient(&slot.exchange, trusted: current.shared.trusted)
    if !RequestID.adopt(&slot.exchange) { makeID(slot) }
  }

  private func makeID(_ slot: ExchangeSlot) {
    slot.exchange.id.append(hexadecimal: random.next(), digits: 16)
    slot.exchange.id.append(hexadecimal: random.next(), digits: 16)
  }

  /// Finds the route; a fault when there is none, or when the path cannot be read in one way only.
  func route(_ slot: ExchangeSlot, on connection: ServerConnection) -> Fault? {
    var slashes = false
    switch slot.exchange.request.head.form {
    case .origin, .absolute:
      if !slot.exchange.request.head.pathIsNormal {
        do { try normalisePath(slot) } catch { return .malformedRequest(error) }
        slashes = hasEncodedSlash(slot.exchange.path)
      }
    case .asterisk, .authority: return .notFound
    }
    let snapshot = current
    switch match(slot, snapshot, listener: connection.listener.index) {
    case .notFound: return .notFound
    case .methodNotAllowed(let methods):
      slot.exchange.allowed = snapshot.shared.table.methodNames(methods).joined(separator: ", ")
      return .methodNotAllowed
    case .route(let pattern, let path, _):
      let route = snapshot.route(ofPattern: pattern)
      slot.route = route
      slot.exchange.route = route.identities[path]
      return slashes && route.refusesEncodedSlashes ? .malformedRequest(.encodedSlash) : nil
    }
  }

  private func normalisePath(_ slot: ExchangeSlot) throws(HTTPError) {
    slot.exchange.normalizedPath.removeAll()
    let path = slot.exchange.request.head.pathRange.bytes(in: slot.exchange.request.source)
    var normal = ByteBuffer(capacity: path.count + 16)
    slot.exchange.pathIsNormalized = try NormalizedPath.normalise(path, encodedSlashes: .keep, into: &normal)
    slot.exchange.normalizedPath.append(normal.span)
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
    let conditions = RequestConditions(slot)
    var parameters = slot.exchange.parameters
    slot.exchange.parameters.removeAll()
    defer { slot.exchange.parameters = parameters }
    return snapshot.shared.table.match(
      RouteRequest(
        path: slot.exchange.path, host: slot.exchange.host, method: slot.exchange.request.methodText,
        preflightMethod: preflightMethod(slot), listener: listener),
      conditions, parameters: &parameters)
  }

  @_lifetime(borrow slot)
  private func preflightMethod(_ slot: borrowing ExchangeSlot) -> Span<UInt8>? {
    guard slot.exchange.request.method == .options else { return nil }
    return slot.exchange.request.header(.accessControlRequestMethod)
  }
}

/// The ids of exchanges.
enum RequestID {
  static let longest = 64

  /// Takes over the id that a trusted proxy sent; false when it sent none that is fit for a log.
  static func adopt(_ exchange: inout Exchange) -> Bool {
    guard let given = exchange.request.header(.xRequestID), !given.isEmpty, given.count <= longest,
      ByteScan.endOfToken(in: given, from: 0) == given.count
    else { return false }
    var copy = ByteBuffer(capacity: longest)
    copy.append(given)
    exchange.id.append(copy.span)
    return true
  }
}

/// Reads who the client is from what trusted proxies wrote.
enum ForwardedFor {
  /// The rightmost address of `X-Forwarded-For` that is no trusted proxy: what stands left of it anybody may have
  /// written.
  static func findClient(_ exchange: inout Exchange, trusted: TrustedProxies) {
    var candidates: [IPAddress] = []
    exchange.request.head.headers.forEachValue(of: .xForwardedFor, in: exchange.request.source) { value in
      var start = 0
      while start < value.count {
        let end = ByteScan.index(of: UInt8(ascii: ","), in: value, from: start)
        if let address = address(value.extracting(start..<end)) { candidates.append(address) }
        start = end + 1
      }
    }
    for address in candidates.reversed() {
      exchange.client = address
      if !trusted.contains(address) { return }
    }
  }

  private static func address(_ bytes: Span<UInt8>) -> IPAddress? {
    guard bytes.count <= 64 else { return nil }
    var text = ""
    for index in bytes.indices where bytes[index] != 0x20 && bytes[index] != 0x09 {
      guard bytes[index] < 0x80 else { return nil }
      text.unicodeScalars.append(Unicode.Scalar(bytes[index]))
    }
    if text.hasPrefix("["), let close = text.firstIndex(of: "]") {
      return IPAddress(String(text[text.index(after: text.startIndex)..<close]))
    }
    if let address = IPAddress(text) { return address }
    guard let colon = text.lastIndex(of: ":") else { return nil }
    return IPAddress(String(text[..<colon]))
  }
}

/// What route conditions read: the request's fields and its query.
struct RequestConditions: RouteConditions {
  private let slot: ExchangeSlot

  init(_ slot: ExchangeSlot) { self.slot = slot }

  func hasHeader(_ name: Span<UInt8>) -> Bool { count(name, equalTo: nil) > 0 }

  func hasHeader(_ name: Span<UInt8>, value: Span<UInt8>) -> Bool {
    var matching = 0
    var all = 0
    slot.exchange.request.head.headers.forEach(in: slot.exchange.request.source) { candidate, found in
      guard ByteScan.equalIgnoringCase(candidate, name) else { return }
      all += 1
      if ByteScan.equal(found, value) { matching += 1 }
    }
    return all == 1 && matching == 1
  }

  private func count(_ name: Span<UInt8>, equalTo: Int?) -> Int {
    var all = 0
    slot.exchange.request.head.headers.forEach(in: slot.exchange.request.source) { candidate, _ in
      if ByteScan.equalIgnoringCase(candidate, name) { all += 1 }
    }
    return all
  }

  func hasQuery(_ name: Span<UInt8>) -> Bool { QueryParameters.count(name, in: slot.exchange.query) > 0 }

  func hasQuery(_ name: Span<UInt8>, value: Span<UInt8>) -> Bool {
    QueryParameters.isOnly(name, value: value, in: slot.exchange.query)
  }
}
