import HTTP
import Kernel
import PluginKit

/// What the gateway does for gRPC calls beside forwarding them: their deadline, and how they ended.
extension ServerConnection {
  /// A call has at most the time that its caller gives it, retries included.
  func boundByCaller(_ slot: ExchangeSlot) {
    guard slot.exchange.rpc != .none, let granted = Self.grantedTime(&slot.exchange) else { return }
    slot.callerDeadline = slot.exchange.times.headComplete + granted
    totalDeadline = min(totalDeadline, slot.callerDeadline)
  }

  private static func grantedTime(_ exchange: inout Exchange) -> Int? {
    guard let text = exchange.request.header(named: "grpc-timeout") else { return nil }
    return GRPC.timeout(text)
  }

  /// Ends an answer that cannot be completed by the trailers that callers of gRPC read; false where that cannot be said.
  func endsCall(_ fault: Fault, _ slot: ExchangeSlot) -> Bool {
    guard slot.exchange.rpc == .native, fault.status != 499, let stream = socket as? HTTP2ServerStream else {
      return false
    }
    return stream.endCall(GRPC.status(ofHTTP: fault.status), fault.detail)
  }

  /// Notes how the call ended: in the trailers, or in the head of an answer that has nothing else.
  func noteStatus(_ slot: ExchangeSlot) {
    guard slot.exchange.rpc != .none else { return }
    var found: Int?
    slot.download.withTrailers { headers, source in
      if let text = headers.value(named: "grpc-status", in: source) { found = GRPC.status(text) }
    }
    slot.account.rpcStatus = found ?? Self.statusOfHead(&slot.exchange)
  }

  /// An answer that says nothing of it, or nothing that can be read, is what callers take it for.
  private static func statusOfHead(_ exchange: inout Exchange) -> Int {
    if let text = exchange.response.header(named: "grpc-status"), let status = GRPC.status(text) { return status }
    return GRPC.status(ofHTTP: exchange.response.head.status)
  }
}

extension FaultPage {
  /// A fault as gRPC callers read it: an answer that has only trailers.
  static func renderCall(_ fault: Fault, into exchange: inout Exchange) {
    exchange.response.begin(status: 200)
    exchange.response.addHeader("Content-Type", "\(exchange.rpc.contentType)")
    exchange.response.addHeader("X-Fault", fault.origin.rawValue)
    if fault.retryAfter > 0 { exchange.response.addHeader("Retry-After", "\(fault.retryAfter)") }
    exchange.response.addHeader("grpc-status", "\(GRPC.status(ofHTTP: fault.status))")
    var message = ByteBuffer(capacity: 128)
    GRPC.appendMessage(ByteScan.bytes(of: fault.detail), to: &message)
    exchange.response.head.headers.add("grpc-message", message.span)
  }
}
