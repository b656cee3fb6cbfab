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

  private static func field(_ name: String, of exchange: borrowing Exchange) -> String? {
    guard let value = exchange.request.header(named: name) else { return nil }
    return String(copying: value)
  }
}

extension String {
  /// Bytes as text; what is not UTF-8 becomes U+FFFD.
  init(copying bytes: Span<UInt8>) { self.init(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self) }
}
