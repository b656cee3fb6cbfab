import AI
import HTTP
import Kernel
import PluginKit

/// Stands before a server of the Model Context Protocol: reads what is called, refuses what the caller may not call, and
/// hides it from lists.
///
/// It is the innermost step of its route, so it knows who calls. What passes, passes as it came; streams of events go on
/// event by event.
final class MCPGate {
  private let server: MCPServerSettings
  private let allowance: MCPAllowance
  private let origins: Set<String>
  private static let origin = FieldNameSet(["origin"])

  /// - Parameter target: of a route with a server.
  init?(_ target: MCPTarget) {
    guard let server = target.server else { return nil }
    self.server = server
    allowance = MCPAllowance(server)
    origins = Set(target.origins.map { $0.lowercased() })
  }

  private static let largestCall = 4 << 20
  private static let largestList = 8 << 20
}

/// Refuses calls of servers that there are not.
final class MissingServer: Handler {
  func handle(_ exchange: inout Exchange) async -> Verdict { .fail(.notFound) }
}

extension MCPGate: RequestHeadHook {
  func onRequestHead(_ exchange: inout Exchange) -> Verdict {
    switch exchange.request.method {
    case .post, .get, .delete, .head: break
    default:
      exchange.allowed = "POST, GET, DELETE"
      return .fail(.methodNotAllowed)
    }
    guard isWelcome(exchange) else { return .fail(.foreignOrigin) }
    // The server has its own list, on which the gateway's pages are not.
    exchange.request.removeHeaders(Self.origin)
    exchange.requestBodyLimit = min(exchange.requestBodyLimit, Self.largestCall)
    return .proceed
  }

  /// Whether the page whose script calls may; a program that is no browser says no origin.
  private func isWelcome(_ exchange: borrowing Exchange) -> Bool {
    guard let value = exchange.request.header(named: "origin") else { return true }
    let origin = String(decoding: value.indices.map { value[$0] }, as: UTF8.self).lowercased()
    if origins.contains(origin) { return true }
    guard let host = exchange.request.header(.host), let separator = origin.firstRange(of: "://") else { return false }
    return ByteScan.equalIgnoringCase(Array(origin[separator.upperBound...].utf8).span, host)
  }
}

extension MCPGate: RequestBodyHook {
  var takesRequestBodies: Bool { true }

  func wantsRequestBody(_ exchange: inout Exchange) -> BodyWish? {
    exchange.request.method == .post ? BodyWish(limit: Self.largestCall) : nil
  }

  func onRequestBody(_ exchange: inout Exchange) -> Verdict {
    let bytes = BodyCollector.array(exchange.request.body)
    guard let message = MCPMessage(bytes) else { return .fail(.unreadableCall) }
    if let call = message.calls.first {
      exchange.remoteCall = RemoteCall(
        server: server.name, method: call.method, name: call.name, id: call.id, isBatch: message.calls.count > 1)
    }
    guard MCPFields.agree(exchange, with: message) else { return .fail(.fieldMismatch) }
    for call in message.calls where call.method == "tools/call" {
      if allowance.allows(call.name ?? "", exchange) { continue }
      exchange.remoteCall = RemoteCall(server: server.name, method: call.method, name: call.name, id: call.id)
      return .fail(.toolNotAllowed)
    }
    return .proceed
  }
}

extension MCPGate: ResponseBodyHook {
  var takesResponseBodies: Bool { allowance.isRestricted }

  /// A list is looked at however it comes: what a stream of events says, its reader reads too.
  func wantsResponseBody(_ exchange: inout Exchange) -> BodyWish? {
    guard allowance.isRestricted, let call = exchange.remoteCall, call.method == "tools/list" || call.isBatch else {
      return nil
    }
    return BodyWish(limit: Self.largestList, holdsStreams: true)
  }

  func onResponseBody(_ exchange: inout Exchange) -> Verdict {
    let bytes = BodyCollector.array(exchange.response.body)
    guard var filtered = MCPToolList.filter(bytes, { allowance.allows($0, exchange) }) else {
      return .fail(.unreadableAnswer)
    }
    exchange.response.exchangeBody(with: &filtered)
    return .proceed
  }
}
