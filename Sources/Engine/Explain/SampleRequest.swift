import Configuration
import HTTP
public import Kernel
import PluginKit

/// A request that somebody asks about, as they would give it to curl.
public struct SampleRequest: Sendable {
  public var method: String
  /// `http://HOST[:PORT]/PATH?QUERY`, or the path alone.
  public var url: String
  public var headers: [(name: String, value: String)]
  public var body: [UInt8]
  /// The name of the listener that takes it; nil: the one with the URL's port, or the first.
  public var listener: String?
  /// The address that it comes from.
  public var client: IPAddress

  public init(
    _ method: String, _ url: String, headers: [(name: String, value: String)] = [], body: [UInt8] = [],
    listener: String? = nil, client: IPAddress = IPAddress(v4: 0x7f00_0001)
  ) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
    self.listener = listener
    self.client = client
  }

  /// `Name: value` in its two parts; nil when it is no such text.
  public static func field(_ text: String) -> (name: String, value: String)? {
    guard let colon = text.firstIndex(of: ":"), colon > text.startIndex else { return nil }
    let value = text[text.index(after: colon)...].drop { $0 == " " }
    return (String(text[..<colon]), String(value))
  }

  /// `HOST[:PORT]` of the URL, or what CONNECT names; nil when it is a path.
  var authority: String? {
    guard let start = url.firstRange(of: "://")?.upperBound else { return isTunnel ? url : nil }
    return String(url[start...].prefix { $0 != "/" && $0 != "?" && $0 != "#" })
  }

  /// Why it is none that a client could send; nil where it is one.
  var mistake: String? {
    guard Token.isToken(method.utf8) else {
      return "`\(Printable(method))` is no method: it is one word, such as GET"
    }
    guard !url.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7f }) else {
      return "`\(Printable(url))` is no URL: write %20 for a space"
    }
    let isOneLine = headers.allSatisfy { !($0.name + $0.value).utf8.contains { $0 == 0x0a || $0 == 0x0d } }
    return isOneLine ? nil : "a header stands on one line"
  }

  private var isTunnel: Bool { method == "CONNECT" && !url.contains("/") }

  /// The port that the URL names; nil when it names none.
  var port: Int? {
    guard let authority, let colon = authority.lastIndex(of: ":") else { return nil }
    return Int(authority[authority.index(after: colon)...])
  }

  /// Path and query as they would be sent: without the fragment.
  private var target: String {
    if isTunnel { return url }
    var rest = url[...]
    if let start = url.firstRange(of: "://")?.upperBound {
      rest = url[start...].drop { $0 != "/" && $0 != "?" && $0 != "#" }
    }
    let target = rest.prefix { $0 != "#" }
    return target.hasPrefix("/") || target == "*" ? String(target) : "/" + target
  }

  /// The request as it would come over a connection: what is wrong with it is then found as it would be there.
  var head: String {
    var text = "\(method) \(target) HTTP/1.1\r\n"
    if !headers.contains(where: { $0.name.lowercased() == "host" }) { text += "Host: \(authority ?? "localhost")\r\n" }
    for (name, value) in headers { text += "\(name): \(value)\r\n" }
    let frames = headers.contains { ["content-length", "transfer-encoding"].contains($0.name.lowercased()) }
    if !body.isEmpty, !frames { text += "Content-Length: \(body.count)\r\n" }
    return text + "\r\n"
  }
}

/// A sample request as an exchange that has got as far as its complete head.
struct SampleExchange: ~Copyable {
  var exchange = Exchange()
  let listener: Int
  private(set) var traits = PathTraits()

  init(_ request: SampleRequest, limits: LimitSettings, listener: Int) throws(HTTPError) {
    self.listener = listener
    let head = request.head
    if head.utf8.count > limits.requestHead { throw .headTooLarge }
    exchange.request.buffer.lease(from: BufferPool(blockSize: max(4096, head.utf8.count), keep: 0))
    _ = exchange.request.buffer.append(head.utf8Span.span)
    var decoder = RequestDecoder(
      limits: HTTPLimits(head: limits.requestHead, headers: limits.headers, target: limits.requestTarget))
    guard try HeadDecoding.decode(&decoder, &exchange.request) else { throw .invalidRequestLine }
    exchange.request.buffer.advance(exchange.request.head.length)
    exchange.client = request.client
    exchange.peer = request.client
    exchange.began = Clock.wall
    var dialect = GRPC.Dialect.none
    if let type = exchange.request.header(.contentType) { dialect = GRPC.dialect(of: type) }
    exchange.rpc = dialect
    switch exchange.request.head.form {
    case .origin, .absolute:
      if !exchange.request.head.pathIsNormal || exchange.request.head.pathRange.isEmpty {
        traits = try exchange.normalisePath()
      }
    case .asterisk, .authority: break
    }
  }

  var form: TargetForm { exchange.request.head.form }

  /// The path that routes are matched against.
  var path: String { String(exchange.path) }
  var host: String { String(exchange.host) }

  func explain(_ table: borrowing RouteTable) -> [RouteExplanation] {
    table.explain(Self.request(exchange, listener), exchange)
  }

  /// The route of the request; its parameters are then the exchange's.
  mutating func match(_ table: borrowing RouteTable) -> RouteMatch {
    var parameters = PathParameters()
    let match = table.match(Self.request(exchange, listener), exchange, parameters: &parameters)
    exchange.parameters = parameters
    return match
  }

  mutating func keepEmptySegments() throws(HTTPError) { try exchange.keepEmptySegments() }

  /// Makes it look as plugins find it on a route.
  mutating func enter(route: Int, _ name: String, _ template: PathTemplate, _ way: Explanation.Way) {
    exchange.route = RouteIdentity(
      index: route, name: name, template: "\(template)", parameterNames: template.parameterNames)
    exchange.requestBodyLimit = way.requestBody
  }

  /// Holds the body for hooks, as if it had come.
  mutating func hold(_ body: [UInt8]) {
    exchange.request.body.removeAll()
    exchange.request.body.append(body.span)
    exchange.request.holdsBody = true
  }

  /// The target that the upstream gets.
  func target(after rewrite: Rewrite?) -> String {
    var out = ByteBuffer(capacity: 256)
    if let rewrite { rewrite.append(exchange, to: &out) } else { out.append(exchange.path) }
    if exchange.request.head.hasQuery {
      out.append("?")
      out.append(exchange.query)
    }
    return String(out.span)
  }

  @_lifetime(borrow exchange)
  private static func request(_ exchange: borrowing Exchange, _ listener: Int) -> RouteRequest {
    let preflight = exchange.request.method == .options ? exchange.request.header(.accessControlRequestMethod) : nil
    return RouteRequest(
      path: exchange.path, host: exchange.host, method: exchange.request.methodText, preflightMethod: preflight,
      listener: listener)
  }
}

extension String {
  /// Bytes as text; what is not UTF-8 becomes U+FFFD.
  init(_ bytes: Span<UInt8>) { self.init(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self) }
}
