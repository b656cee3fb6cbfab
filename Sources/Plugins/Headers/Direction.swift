import Configuration
import HTTP

/// Which of an exchange's two messages is meant.
enum Direction: String, Sendable {
  case request
  case response

  /// Why a field is not for plugins to change, and what is instead; nil for those that are.
  ///
  /// The gateway itself writes these fields after every plugin, or takes them away: an edit would be lost, or would
  /// contradict what the connection really does.
  func refusal(of name: FieldName) -> (reason: String, instead: String)? {
    if name.isHopByHop {
      return ("is about one connection and never forwarded", "leave it out: the gateway looks after its connections")
    }
    switch (name, self) {
    case (.trailer, _):
      return ("names what the sender sends behind the content", "leave it out")
    case (.contentLength, _):
      return ("says where the body ends", "leave it out: the gateway writes what the body needs")
    case (.host, .request):
      return ("is rewritten by the route", "`rewrite: { host: NAME }` in the route")
    case (.expect, .request):
      return ("is answered by the gateway", "leave it out")
    case (.xRequestID, _):
      return (
        "is written by the gateway", "leave it out; `trusted_proxies` says whose request ids are taken over"
      )
    case (.via, .request), (.forwarded, .request), (.xForwardedFor, .request), (.xForwardedProto, .request),
      (.xForwardedHost, .request):
      return ("is written by the gateway", "leave it out; `trusted_proxies` says whose values are kept")
    case (.date, .response), (.xFault, .response):
      return ("is written by whoever makes the response", "leave it out")
    default: return nil
    }
  }
}

extension ValueType where Value == String {
  /// The name of a field that a plugin may change, as it was written.
  static func headerName(in direction: Direction) -> ValueType {
    token("field name", expectation: "a field name such as X-Request-Source") { $0 }.checked {
      name throws(ScalarMistake) in
      guard let refusal = direction.refusal(of: FieldName.known(name.utf8Span.span)) else { return }
      throw .other("`\(name)` \(refusal.reason)", expected: refusal.instead)
    }
  }
}
