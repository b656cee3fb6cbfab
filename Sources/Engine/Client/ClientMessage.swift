import HTTP
import Kernel
import PluginKit

/// A request of the gateway's own, checked: what plugins pass on from elsewhere cannot break out of its place.
struct ClientMessage: ~Copyable {
  let request: ClientRequest
  let method: Method
  private var fields = HeaderBlock()
  /// A request that was encoded for somebody else; then nothing else is written.
  private var copy = ByteBuffer(capacity: 0)

  private static let longestMethod = 24
  private static let longestTarget = 8 << 10
  /// What the client says itself.
  private static let ownFields: [FieldName] = [
    .contentLength, .transferEncoding, .connection, .keepAlive, .proxyConnection, .te, .trailer, .upgrade, .expect,
  ]

  init(_ request: ClientRequest) throws(Fault) {
    self.request = request
    let token = request.method.utf8Span.span
    method = Method(token)
    guard !token.isEmpty, token.count <= Self.longestMethod, ByteScan.endOfToken(in: token, from: 0) == token.count,
      method != .connect, Self.isTarget(request.target)
    else { throw .malformedCall }
    for field in request.headers where !fields.add(field.name, field.value) { throw .malformedCall }
    for name in Self.ownFields where fields.contains(name) { throw .malformedCall }
  }

  /// The octets of a client's request, which were checked when it came.
  ///
  /// - Parameters:
  ///   - keeping: how long the answer may be that somebody reads; nil when nobody does.
  ///   - timeout: nanoseconds for all of it.
  init(
    copyOf octets: consuming ByteBuffer, method: Method, _ methodText: String, keeping: Int? = nil,
    timeout: Int = timeoutOfCopies
  ) {
    request = ClientRequest(
      method: methodText, upstream: "", target: "", timeout: timeout, largestResponse: keeping ?? .max)
    self.method = method
    keepsAnswer = keeping != nil
    copy = octets
  }

  /// Whether somebody reads the answer's content.
  private(set) var keepsAnswer = true

  static let timeoutOfCopies = 30_000_000_000

  var isCopy: Bool { !copy.isEmpty }

  /// Origin form (RFC 9112 §3.2.1).
  private static func isTarget(_ text: String) -> Bool {
    text.utf8.first == UInt8(ascii: "/") && text.utf8.count <= longestTarget
      && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "#") }
  }

  /// Writes head and body as this target gets them.
  func write(to target: Target, into out: inout ByteBuffer) {
    if isCopy { return out.append(copy.span) }
    HTTP1Encoder.requestLine(
      method: request.method.utf8Span.span, path: request.target.utf8Span.span, query: nil, into: &out)
    if !fields.contains(.host) {
      out.append("Host: ")
      if case .unix = target.address { out.append("localhost") } else { out.append(target.name) }
      out.append("\r\n")
    }
    if !fields.contains(.userAgent) { out.append("User-Agent: sluice\r\n") }
    // All fields are added ones: there is nothing that they could be views into.
    fields.write(from: ByteScan.bytes(of: ""), into: &out)
    if !request.body.isEmpty || expectsContent { HTTP1Encoder.contentLength(request.body.count, into: &out) }
    out.append("\r\n")
    out.append(request.body.span)
  }

  /// RFC 9110 §8.6: these say their length even when it is 0.
  private var expectsContent: Bool {
    switch method {
    case .post, .put, .patch: true
    default: false
    }
  }
}
