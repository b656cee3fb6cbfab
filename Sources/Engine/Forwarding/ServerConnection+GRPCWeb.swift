import HTTP
import Kernel
import PluginKit

/// Calls of gRPC-Web, as browsers make them, to targets that speak gRPC: on routes with `grpc_web`.
extension ServerConnection {
  /// Makes a gRPC request of one of gRPC-Web; how its body is rewritten.
  func translateRequest(_ slot: ExchangeSlot, route: WorkerRoute) -> BodyCoding {
    let dialect = slot.exchange.rpc
    guard route.translatesGRPCWeb, dialect == .web || dialect == .webText else { return .none }
    slot.translatesGRPCWeb = true
    Self.setContentType(ofRequest: &slot.exchange)
    guard dialect == .webText, slot.exchange.request.head.framing != .none else { return .none }
    slot.exchange.request.head.headers.remove(.contentLength)
    return .fromText
  }

  /// Makes an answer of gRPC-Web of one of gRPC; how its body is rewritten.
  func translateAnswer(_ slot: ExchangeSlot) -> BodyCoding {
    guard slot.translatesGRPCWeb, Self.setContentType(ofAnswer: &slot.exchange) else { return .none }
    if slot.exchange.response.head.framing != .none { slot.exchange.response.head.headers.remove(.contentLength) }
    return slot.exchange.rpc == .webText ? .toText : .trailersInBody
  }

  private static func setContentType(ofRequest exchange: inout Exchange) {
    var type = ByteBuffer(capacity: 64)
    appendType(exchange.request.header(.contentType), named: "application/grpc", to: &type)
    exchange.request.setHeader("Content-Type", text(type))
  }

  /// False when the target does not answer in gRPC.
  private static func setContentType(ofAnswer exchange: inout Exchange) -> Bool {
    var type = ByteBuffer(capacity: 64)
    appendAnswerType(&exchange, to: &type)
    if type.isEmpty { return false }
    exchange.response.setHeader("Content-Type", text(type))
    return true
  }

  private static func appendAnswerType(_ exchange: inout Exchange, to type: inout ByteBuffer) {
    let isText = exchange.rpc == .webText
    guard let given = exchange.response.header(.contentType), GRPC.dialect(of: given) == .native else { return }
    appendType(given, named: isText ? "application/grpc-web-text" : "application/grpc-web", to: &type)
  }

  /// Appends `name` with the suffix, such as `+proto`, that the type has.
  private static func appendType(_ type: Span<UInt8>?, named name: StaticString, to out: inout ByteBuffer) {
    out.append(name)
    guard let type else { return }
    let start = ByteScan.index(of: UInt8(ascii: "+"), in: type)
    out.append(type.extracting(start..<max(start, ByteScan.index(of: UInt8(ascii: ";"), in: type))))
  }

  private static func text(_ bytes: borrowing ByteBuffer) -> String {
    let span = bytes.span
    return String(decoding: Array(copying: span), as: UTF8.self)
  }
}
