import HTTP
import Kernel
import PluginKit

/// What the admin port reads of a request, as text: it serves people, not traffic.
struct AdminRequest {
  let method: String
  let path: String
  let id: String
  let claim: AdminAccess.Claim
  /// What `Accept` says; empty when nothing.
  let accept: String
  let query: AdminQuery

  init(_ exchange: borrowing Exchange) {
    method = String(copying: exchange.request.methodText)
    path = String(copying: exchange.path)
    id = String(copying: exchange.id.span)
    accept = Self.field("accept", of: exchange)?.lowercased() ?? ""
    query = AdminQuery(String(copying: exchange.query))
    claim = AdminAccess.Claim(
      peerIsLoopback: exchange.peer.isLoopback, host: String(copying: exchange.host),
      origin: Self.field("origin", of: exchange), fetchSite: Self.field("sec-fetch-site", of: exchange),
      authorization: Self.field("authorization", of: exchange))
  }

  var isRead: Bool { method == "GET" || method == "HEAD" }

  /// Whether text is wanted instead of JSON.
  var wantsText: Bool { accept.hasPrefix("text/plain") }

  /// Whether `Accept` takes OpenMetrics, and at least as gladly as plain text (RFC 9110 §12.5.1).
  var wantsOpenMetrics: Bool {
    let wanted = weight(of: "application/openmetrics-text")
    return wanted > 0 && wanted >= weight(of: "text/plain")
  }

  /// The weight that `Accept` gives to a media type by its name; 0 when it does not name it.
  private func weight(of type: String) -> Double {
    for range in accept.split(separator: ",") {
      let parts = range.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
      guard parts.first == type else { continue }
      let weight = parts.dropFirst().first { $0.hasPrefix("q=") }?.dropFirst(2)
      return weight.map { Double($0) ?? 0 } ?? 1
    }
    return 0
  }

  private static func field(_ name: String, of exchange: borrowing Exchange) -> String? {
    guard let value = exchange.request.header(named: name) else { return nil }
    return String(copying: value)
  }
}

extension String {
  /// Bytes as text; what is not UTF-8 becomes U+FFFD.
  init(copying bytes: Span<UInt8>) { self.init(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self) }
}
