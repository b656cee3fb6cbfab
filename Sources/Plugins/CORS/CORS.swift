import HTTP
import Kernel
public import PluginKit

/// Cross-origin resource sharing: tells browsers which other sites' pages may read the responses (Fetch §3.2).
///
/// It answers preflights itself and is the only one to speak of CORS on its route: what an upstream says of it is
/// taken away, since two answers would be none. It refuses nothing: a browser that gets no permission keeps the
/// response from the page, and any other client does not ask.
public final class CORS: Plugin {
  private let origins: [OriginPattern]
  /// Whether every origin gets the same fields, so that responses do not vary.
  private let allowsAny: Bool
  /// What follows `Access-Control-Allow-Origin` in the answer to a preflight.
  private let preflightLines: RenderedFields
  /// What follows it in other responses.
  private let responseLines: RenderedFields
  private let anyOrigin = RenderedFields(("Access-Control-Allow-Origin", "*"))
  private let varyLine = RenderedFields(("Vary", "Origin"))
  /// For merging a response's `Vary`.
  private var vary = ByteBuffer(capacity: 128)

  public init(_ settings: Settings, _ services: any WorkerServices) {
    origins = settings.origins
    allowsAny = settings.origins.contains(.any)
    preflightLines = settings.preflightLines
    responseLines = settings.responseLines
  }

  private static let owned = FieldNameSet([
    "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Allow-Methods",
    "Access-Control-Allow-Headers", "Access-Control-Expose-Headers", "Access-Control-Max-Age",
  ])

  private func allows(_ origin: Span<UInt8>) -> Bool {
    for pattern in origins where pattern.matches(origin) { return true }
    return false
  }
}

extension CORS {
  public func reason(for verdict: Verdict, of exchange: borrowing Exchange) -> String? {
    guard let origin = exchange.request.header(.origin) else { return "the request has no Origin" }
    return allowsAny || allows(origin)
      ? "pages of this origin may read the answer" : "pages of this origin may not read the answer"
  }
}

extension CORS: RequestHeadHook {
  public func onRequestHead(_ exchange: inout Exchange) -> Verdict {
    guard exchange.request.isPreflight else { return .proceed }
    exchange.response.begin(status: 204)
    return .respond
  }
}

extension CORS: ResponseHeadHook {
  public func onResponseHead(_ exchange: inout Exchange) {
    exchange.response.removeHeaders(Self.owned)
    if allowsAny {
      exchange.response.addHeaders(anyOrigin)
    } else {
      addVary(to: &exchange.response)
      guard allowOrigin(of: exchange.request, in: &exchange.response) else { return }
    }
    exchange.response.addHeaders(exchange.request.isPreflight ? preflightLines : responseLines)
  }

  /// Repeats the request's origin in the response, if it is one of those that are meant.
  private func allowOrigin(of request: borrowing RequestMessage, in response: inout ResponseMessage) -> Bool {
    guard let origin = request.header(.origin), allows(origin) else { return false }
    response.addHeader(.accessControlAllowOrigin, origin)
    return true
  }

  /// Says that the response depends on `Origin`, also where it has no such field: a cache must not give one site's
  /// response to another (Fetch §3.2.6).
  private func addVary(to response: inout ResponseMessage) {
    guard response.head.headers.contains(.vary) else { return response.addHeaders(varyLine) }
    vary.removeAll()
    guard Self.collectVary(of: response, into: &vary) else { return }
    vary.append("Origin")
    Self.setVary(vary, in: &response)
  }

  private static func setVary(_ value: borrowing ByteBuffer, in response: inout ResponseMessage) {
    response.setHeader(.vary, value.span)
  }

  /// Collects the members of `Vary`, each with a comma behind; false when `Origin` or `*` is among them.
  private static func collectVary(of response: borrowing ResponseMessage, into members: inout ByteBuffer) -> Bool {
    var isMissing = true
    response.head.headers.forEachValue(of: .vary, in: response.source) { value in
      if value.isEmpty { return }
      if FieldList.contains(ByteScan.bytes(of: "Origin"), or: UInt8(ascii: "*"), in: value) { isMissing = false }
      members.append(value)
      members.append(", ")
    }
    return isMissing
  }
}

extension RequestMessage {
  /// Whether a browser asks if it may send another request (Fetch §3.2.2).
  fileprivate var isPreflight: Bool {
    method == .options && head.headers.contains(.origin) && head.headers.contains(.accessControlRequestMethod)
  }
}

/// A field value that is a list (RFC 9110 §5.6.1).
private enum FieldList {
  /// Whether a member is `name`, without regard to case, or that one byte.
  static func contains(_ name: Span<UInt8>, or byte: UInt8, in value: Span<UInt8>) -> Bool {
    var start = 0
    while start < value.count {
      var end = ByteScan.index(of: UInt8(ascii: ","), in: value, from: start)
      let next = end + 1
      while start < end, value[start] == 0x20 || value[start] == 0x09 { start += 1 }
      while end > start, value[end - 1] == 0x20 || value[end - 1] == 0x09 { end -= 1 }
      let member = value.extracting(start..<end)
      if ByteScan.equalIgnoringCase(member, name) || (member.count == 1 && member[0] == byte) { return true }
      start = next
    }
    return false
  }
}
