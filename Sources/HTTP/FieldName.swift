import Kernel

/// The field names that Sluice reads, writes or hands to plugins by a number instead of by text.
///
/// The first ones are those that the codec itself must look at. At most 64 names, so that a set of them is one word.
public enum FieldName: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  case other
  // Framing and routing: never to be nominated by Connection, never in a trailer.
  case host, contentLength, transferEncoding
  // Of one connection only (RFC 9110 §7.6.1).
  case connection, keepAlive, proxyConnection, te, trailer, upgrade
  case expect
  // Authentication.
  case proxyAuthenticate, proxyAuthorization, proxyAuthenticationInfo, authorization, wwwAuthenticate
  case authenticationInfo, cookie, setCookie
  // Of gateways.
  case via, forwarded, xForwardedFor, xForwardedProto, xForwardedHost, xForwardedPort, xRealIP, xRequestID, xFault
  case maxForwards, traceparent, tracestate
  // Of control and content.
  case date, server, retryAfter, age, cacheControl, expires, location, vary, allow, etag, lastModified, pragma
  case ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince, ifRange, range
  case contentType, contentEncoding, contentRange
  case accept, acceptEncoding, acceptLanguage, userAgent, referer, origin
  case accessControlRequestMethod, accessControlRequestHeaders, accessControlAllowOrigin
  case accessControlAllowCredentials

  /// The name as Sluice writes it; empty for `other`.
  public var text: StaticString {
    switch self {
    case .other: ""
    case .host: "Host"
    case .contentLength: "Content-Length"
    case .transferEncoding: "Transfer-Encoding"
    case .connection: "Connection"
    case .keepAlive: "Keep-Alive"
    case .proxyConnection: "Proxy-Connection"
    case .te: "TE"
    case .trailer: "Trailer"
    case .upgrade: "Upgrade"
    case .expect: "Expect"
    case .proxyAuthenticate: "Proxy-Authenticate"
    case .proxyAuthorization: "Proxy-Authorization"
    case .proxyAuthenticationInfo: "Proxy-Authentication-Info"
    case .authorization: "Authorization"
    case .wwwAuthenticate: "WWW-Authenticate"
    case .authenticationInfo: "Authentication-Info"
    case .cookie: "Cookie"
    case .setCookie: "Set-Cookie"
    case .via: "Via"
    case .forwarded: "Forwarded"
    case .xForwardedFor: "X-Forwarded-For"
    case .xForwardedProto: "X-Forwarded-Proto"
    case .xForwardedHost: "X-Forwarded-Host"
    case .xForwardedPort: "X-Forwarded-Port"
    case .xRealIP: "X-Real-IP"
    case .xRequestID: "X-Request-Id"
    case .xFault: "X-Fault"
    case .maxForwards: "Max-Forwards"
    case .traceparent: "traceparent"
    case .tracestate: "tracestate"
    case .date: "Date"
    case .server: "Server"
    case .retryAfter: "Retry-After"
    case .age: "Age"
    case .cacheControl: "Cache-Control"
    case .expires: "Expires"
    case .location: "Location"
    case .vary: "Vary"
    case .allow: "Allow"
    case .etag: "ETag"
    case .lastModified: "Last-Modified"
    case .pragma: "Pragma"
    case .ifMatch: "If-Match"
    case .ifNoneMatch: "If-None-Match"
    case .ifModifiedSince: "If-Modified-Since"
    case .ifUnmodifiedSince: "If-Unmodified-Since"
    case .ifRange: "If-Range"
    case .range: "Range"
    case .contentType: "Content-Type"
    case .contentEncoding: "Content-Encoding"
    case .contentRange: "Content-Range"
    case .accept: "Accept"
    case .acceptEncoding: "Accept-Encoding"
    case .acceptLanguage: "Accept-Language"
    case .userAgent: "User-Agent"
    case .referer: "Referer"
    case .origin: "Origin"
    case .accessControlRequestMethod: "Access-Control-Request-Method"
    case .accessControlRequestHeaders: "Access-Control-Request-Headers"
    case .accessControlAllowOrigin: "Access-Control-Allow-Origin"
    case .accessControlAllowCredentials: "Access-Control-Allow-Credentials"
    }
  }

  /// The fields about one connection, which are never forwarded (RFC 9110 §7.6.1), those to and from a proxy among
  /// them (§11.7). `Trailer` stays, as trailers are forwarded.
  static let hopByHop = FieldNames(
    .transferEncoding, .connection, .keepAlive, .proxyConnection, .te, .upgrade, .proxyAuthenticate,
    .proxyAuthorization, .proxyAuthenticationInfo)

  public var isHopByHop: Bool { FieldName.hopByHop.contains(self) }

  /// Whether the field frames or routes the message, so that a `Connection` option may not take it away.
  var isFraming: Bool { self == .host || self == .contentLength || self == .transferEncoding }

  /// Whether the field has no place in a trailer section: framing, routing, authentication and request modifiers
  /// would change a message that has long been acted upon (RFC 9110 §6.5.1).
  var isForbiddenInTrailer: Bool {
    switch self {
    case .maxForwards, .forwarded, .via, .xForwardedFor, .xForwardedProto, .xForwardedHost, .xForwardedPort, .xRealIP,
      .xRequestID, .xFault, .date, .retryAfter, .age, .cacheControl, .expires, .location, .vary, .pragma, .ifMatch,
      .ifNoneMatch, .ifModifiedSince, .ifUnmodifiedSince, .ifRange, .range, .contentType, .contentEncoding,
      .contentRange:
      true
    default: rawValue > FieldName.other.rawValue && rawValue <= FieldName.setCookie.rawValue
    }
  }
}

/// A set of field names in one word.
public struct FieldNames: Sendable, BitwiseCopyable {
  private var bits: UInt64 = 0

  init(bits: UInt64) {
    self.bits = bits
  }

  public init(_ names: FieldName...) {
    for name in names { insert(name) }
  }

  /// The set as a number, a bit for each name's own.
  var mask: UInt64 { bits }

  @inline(__always)
  public func contains(_ name: FieldName) -> Bool { contains(number: name.rawValue) }

  @inline(__always)
  func contains(number: UInt8) -> Bool { bits &>> UInt64(number) & 1 != 0 }

  @inline(__always)
  public mutating func insert(_ name: FieldName) { bits |= 1 &<< UInt64(name.rawValue) }

  public var isEmpty: Bool { bits == 0 }

  @inline(__always)
  public func intersects(_ other: FieldNames) -> Bool { bits & other.bits != 0 }
}
