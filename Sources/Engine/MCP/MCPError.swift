import JSON
import Kernel
import PluginKit
import Telemetry

extension FaultPage {
  /// A fault as clients of the Model Context Protocol read it: an error of JSON-RPC, with the status of HTTP beside it.
  static func renderCallError(_ fault: Fault, into exchange: inout Exchange) {
    exchange.response.begin(status: fault.status)
    exchange.response.addHeader("Content-Type", "application/json")
    exchange.response.addHeader("X-Fault", fault.origin.rawValue)
    if fault.retryAfter > 0 { exchange.response.addHeader("Retry-After", "\(fault.retryAfter)") }
    if fault.status == 405 { exchange.response.addHeader("Allow", exchange.allowed) }
    let note = exchange.faultNote.isEmpty ? "" : " " + exchange.faultNote
    var error = JSONWriter()
    let request = text(exchange.id)
    error.object {
      $0.member("code", code(of: fault))
      $0.member("message", "\(fault.detail)\(note)")
      $0.object("data") {
        $0.member("code", "\(fault.code)")
        $0.member("request_id", request)
      }
    }
    exchange.response.body.append(#"{"jsonrpc":"2.0","id":"#)
    exchange.response.body.append(exchange.remoteCall?.id ?? "null")
    exchange.response.body.append(#","error":"#)
    exchange.response.body.append(error.buffer.span)
    exchange.response.body.append("}")
  }

  private static func text(_ id: borrowing ByteBuffer) -> String {
    let span = id.span
    return String(decoding: Array(copying: span), as: UTF8.self)
  }

  /// Those of JSON-RPC 2.0 and of the protocol; what is the gateway's own is a server error.
  private static func code(of fault: Fault) -> Int {
    switch "\(fault.reason)" {
    case "\(Fault.unreadableCall.reason)": -32700
    case "\(Fault.fieldMismatch.reason)": -32020
    case "\(Fault.toolNotAllowed.reason)": -32602
    default: fault.status < 500 ? -32600 : -32603
    }
  }
}

extension WorkerMetrics {
  /// Counts a call. Methods are those of the protocol; tools and prompts are as many as the page has room for.
  func observe(_ call: RemoteCall, status: Int) {
    let method = Self.methods.contains(call.method) ? call.method : MetricShard.other
    let name = method.hasPrefix("resources/") ? "" : call.name ?? ""
    shard.add(shard.series(.mcpCalls, [call.server, method, name, "\(status)"]), 1)
  }

  private static let methods: Set<String> = [
    "initialize", "ping", "server/discover", "tools/list", "tools/call", "prompts/list", "prompts/get",
    "resources/list",
    "resources/templates/list", "resources/read", "resources/subscribe", "resources/unsubscribe", "completion/complete",
    "logging/setLevel", "notifications/initialized", "notifications/cancelled", "notifications/progress",
    "subscriptions/listen", "tasks/get", "tasks/list", "tasks/cancel",
  ]
}
