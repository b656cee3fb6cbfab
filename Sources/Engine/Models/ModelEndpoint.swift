import AI
import Kernel
import PluginKit

/// What a path asks of a route with models: each dialect brings its own, behind whatever the route has before them.
enum ModelEndpoint {
  case conversation(Front)
  /// The models that there are.
  case list
  case unknown

  static func find(_ exchange: borrowing Exchange) -> ModelEndpoint {
    if ends(exchange.path, with: "/v1/chat/completions") { return .conversation(.chat) }
    if ends(exchange.path, with: "/v1/messages") { return .conversation(.messages) }
    if ends(exchange.path, with: "/v1/models") { return .list }
    return .unknown
  }

  /// How faults are told: in the dialect that the path is of, or that the client's fields speak of.
  static func faultShape(_ exchange: inout Exchange) -> FaultShape { shape(exchange) }

  private static func shape(_ exchange: borrowing Exchange) -> FaultShape {
    if ends(exchange.path, with: "/v1/messages") { return .anthropic }
    return exchange.request.header(named: "anthropic-version") == nil ? .openai : .anthropic
  }

  private static func ends(_ path: Span<UInt8>, with text: StaticString) -> Bool {
    let count = text.utf8CodeUnitCount
    return path.count >= count
      && ByteScan.equal(path.extracting(path.count - count..<path.count), ByteScan.bytes(of: text))
  }
}
