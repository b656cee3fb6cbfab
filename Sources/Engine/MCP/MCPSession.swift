import Kernel
import PluginKit

/// Leads the calls of a session to the process of the server that began it, as sessions live in one process.
///
/// Where a server has several addresses, the ids of its sessions get a tag that says which of them it was, and servers get
/// them without it. Nothing is kept here: it holds for every worker and gateway, and over restarts. An id whose address is
/// no more passes as it is, and the server says that it knows no such session, whereupon clients begin another one.
enum MCPSession {
  private static let field = "Mcp-Session-Id"
  private static let mark = ".sluice-"
  private static let digits = 8

  /// The target that began the request's session, whose tag is taken off; nil where there is no session, or no tag.
  static func takeHome(of exchange: inout Exchange, in pool: UpstreamPool) -> TargetPool? {
    guard let id = id(exchange.request.header(named: field)),
      let home = pool.targets.first(where: { id.hasSuffix(tag(of: $0)) })
    else { return nil }
    exchange.request.setHeader(field, String(id.dropLast(mark.utf8.count + digits)))
    return home
  }

  /// Tags the id of a session that the target has begun, or goes on with.
  static func tag(_ exchange: inout Exchange, by target: TargetPool) {
    guard target.pool.targets.count > 1, let id = id(exchange.response.header(named: field)) else { return }
    exchange.response.setHeader(field, id + tag(of: target))
  }

  private static func id(_ value: Span<UInt8>?) -> String? {
    guard let value, value.count <= longestID else { return nil }
    return String(decoding: value.indices.map { value[$0] }, as: UTF8.self)
  }

  private static let longestID = 1024

  /// Says nothing of the address to who does not know it.
  private static func tag(of target: TargetPool) -> String {
    let text = String(UInt32(truncatingIfNeeded: (target.target.id &* 0x9E37_79B9_7F4A_7C15) >> 32), radix: 16)
    return mark + String(repeating: "0", count: digits - text.utf8.count) + text
  }
}
