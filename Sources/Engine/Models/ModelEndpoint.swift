import AI
import HTTP
import Kernel
import PluginKit

/// What a path asks of a route with models: each dialect brings its own, behind whatever the route has before them.
enum ModelEndpoint {
  case conversation(Front)
  /// The same of Gemini's, whose paths say the model and whether the answer is a stream.
  case generate(streams: Bool)
  /// What else a provider of the client's dialect does.
  case passed(PassedOperation)
  /// Files, by the path behind the version.
  case files(String)
  /// A conversation over a WebSocket.
  case realtime
  /// The models that there are.
  case list
  /// One of them.
  case listed(String)
  case unknown

  static func find(_ exchange: borrowing Exchange) -> ModelEndpoint {
    if ends(exchange.path, with: "/v1/chat/completions") { return .conversation(.chat) }
    if ends(exchange.path, with: "/v1/messages") { return .conversation(.messages) }
    if ends(exchange.path, with: "/v1/responses") { return .conversation(.responses) }
    if ends(exchange.path, with: "/v1/models") || ends(exchange.path, with: "/v1beta/models") { return .list }
    if ends(exchange.path, with: "/v1/realtime") { return .realtime }
    if let path = files(exchange.path) { return .files(path) }
    if let streams = generates(exchange.path) { return .generate(streams: streams) }
    if let operation = operation(exchange.path) { return .passed(operation) }
    return listed(exchange.path).map { .listed($0) } ?? .unknown
  }

  /// What stands behind `/models/`, which may have slashes, but is asked for nothing else.
  private static func listed(_ path: Span<UInt8>) -> String? {
    guard let name = rest(of: path, behind: "/v1/models/") ?? rest(of: path, behind: "/v1beta/models/") else {
      return nil
    }
    return name.isEmpty || (contains(path, "/v1beta/") && name.contains(":")) ? nil : name
  }

  /// How faults are told: in the dialect that the path is of, or that the client's fields speak of.
  static func faultShape(_ exchange: inout Exchange) -> FaultShape { shape(exchange) }

  private static func shape(_ exchange: borrowing Exchange) -> FaultShape {
    if ends(exchange.path, with: "/v1/messages") { return .anthropic }
    if ends(exchange.path, with: "/completions") || ends(exchange.path, with: "/responses") { return spoken(exchange) }
    if generates(exchange.path) != nil || contains(exchange.path, "/v1beta/models") { return .gemini }
    switch operation(exchange.path)?.front {
    case .messages: return .anthropic
    case .generate: return .gemini
    case .chat, .responses: return .openai
    case nil: break
    }
    return spoken(exchange)
  }

  /// What the client's fields speak of.
  private static func spoken(_ exchange: borrowing Exchange) -> FaultShape {
    if exchange.request.header(named: "anthropic-version") != nil { return .anthropic }
    return exchange.request.header(named: "x-goog-api-key") == nil ? .openai : .gemini
  }

  /// `/files` and what follows.
  private static func files(_ path: Span<UInt8>) -> String? {
    guard let rest = rest(of: path, behind: "/v1/files") else { return nil }
    return rest.isEmpty || rest.hasPrefix("/") ? "/files" + rest : nil
  }

  private static func operation(_ path: Span<UInt8>) -> PassedOperation? {
    for operation in PassedOperation.all {
      let name = operation.path.utf8Span.span
      guard path.count >= name.count, ByteScan.equal(path.extracting(path.count - name.count..<path.count), name)
      else { continue }
      return operation
    }
    return nil
  }

  private static func generates(_ path: Span<UInt8>) -> Bool? {
    if ends(path, with: ":generateContent") { return false }
    return ends(path, with: ":streamGenerateContent") ? true : nil
  }

  /// Whether a stream is asked for as server-sent events, and not as one long array.
  static func asksEvents(_ exchange: borrowing Exchange) -> Bool {
    QueryParameters.isOnly(ByteScan.bytes(of: "alt"), value: ByteScan.bytes(of: "sse"), in: exchange.query)
  }

  /// The model that a path of Gemini's names: between `/models/` and the colon. It may have slashes.
  static func model(_ exchange: borrowing Exchange) -> String? {
    guard let rest = rest(of: exchange.path, behind: "/models/"), let colon = rest.lastIndex(of: ":"),
      colon > rest.startIndex
    else { return nil }
    return String(rest[..<colon])
  }

  private static func contains(_ path: Span<UInt8>, _ text: StaticString) -> Bool {
    ByteScan.range(of: ByteScan.bytes(of: text), in: path) != nil
  }

  /// What follows the first `text`, if it is there.
  private static func rest(of path: Span<UInt8>, behind text: StaticString) -> String? {
    guard let found = ByteScan.range(of: ByteScan.bytes(of: text), in: path) else { return nil }
    return String(decoding: Array(copying: path.extracting(found.upperBound..<path.count)), as: UTF8.self)
  }

  private static func ends(_ path: Span<UInt8>, with text: StaticString) -> Bool {
    let count = text.utf8CodeUnitCount
    return path.count >= count
      && ByteScan.equal(path.extracting(path.count - count..<path.count), ByteScan.bytes(of: text))
  }
}
