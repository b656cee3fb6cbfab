import AI
import HTTP
import Kernel
import PluginKit

/// A request that goes to a provider as it is, and whose answer comes back as it is: files, and realtime conversations.
final class ProviderPass {
  /// The model as the client calls it; nil where none is meant.
  let asked: String?
  let model: String?
  let provider: ModelProvider
  /// The path behind the provider's own, and the query.
  let target: String
  private let key: String?
  /// What plugins see of it; nil where none looks.
  var plan: ModelCall?
  /// What the provider said that it used.
  private(set) var usage = Usage()

  init(_ provider: ModelProvider, key: String?, target: String, asked: String? = nil, model: String? = nil) {
    self.provider = provider
    self.key = key
    self.target = target
    self.asked = asked
    self.model = model
  }

  /// Whether the configuration names the model, as with conversations: clients make up names.
  var isConfigured: Bool {
    guard let asked, let model else { return false }
    return asked != "\(provider.settings.name)/\(model)" || provider.isPriced(model)
  }

  /// In billionths of a USD; nil when the model has no price.
  var cost: Int? { model.flatMap { provider.price(of: $0) }.map { $0.cost(of: usage) } }

  /// Notes what one answer of a conversation used, and lets the limits know, as it may go on for long; the fault for which
  /// it may not.
  func add(_ more: Usage) -> Fault? {
    usage += more
    return plan?.use(outcome)
  }

  /// Tells the plugins what it came to, once.
  func settle() {
    plan?.settle(outcome)
    plan = nil
  }

  private var outcome: ModelOutcome {
    ModelOutcome(inputTokens: usage.input, outputTokens: usage.output, cost: cost)
  }

  // MARK: The request's head

  /// What of the client's own fields a provider gets.
  private static let passed = ["Content-Type", "Accept", "Range", "OpenAI-Beta"]
  private static let handshake = ["Sec-WebSocket-Key", "Sec-WebSocket-Version"]

  /// - Parameter asksWebSocket: whether the request is the opening handshake of one.
  func writeHead(_ exchange: inout Exchange, asksWebSocket: Bool, into out: inout ByteBuffer) {
    out.removeAll()
    guard let url = provider.endpoint else { return }
    out.append(exchange.request.methodText)
    out.append(" ")
    out.append(url.path)
    out.append(target)
    out.append(" HTTP/1.1\r\nHost: ")
    out.append(url.host)
    out.append("\r\nAccept-Encoding: identity\r\nUser-Agent: sluice\r\nX-Request-Id: ")
    Self.append(exchange.id, to: &out)
    out.append("\r\n")
    for name in Self.passed + (asksWebSocket ? Self.handshake : []) {
      if let value = exchange.request.header(named: name) { Self.field(name, value, to: &out) }
    }
    if let key {
      out.append(provider.settings.speaks == .azure ? "api-key: " : "Authorization: Bearer ")
      out.append(key)
      out.append("\r\n")
    }
    if asksWebSocket {
      out.append(WebSocketHandshake.fields)
      appendProtocols(exchange, to: &out)
    }
    switch exchange.request.head.framing {
    case .length(let count): HTTP1Encoder.contentLength(count, into: &out)
    case .chunked: out.append("Transfer-Encoding: chunked\r\n")
    case .none, .untilClose: break
    }
    out.append("\r\n")
  }

  /// Browsers have no other place for a key than the names of protocols: those stay here.
  private func appendProtocols(_ exchange: borrowing Exchange, to out: inout ByteBuffer) {
    guard let value = exchange.request.header(named: "Sec-WebSocket-Protocol") else { return }
    let names = String(decoding: value.indices.map { value[$0] }, as: UTF8.self).split(separator: ",").map {
      String($0.drop { $0 == " " })
    }
    let open = names.filter { name in !Self.secretProtocols.contains { name.hasPrefix($0) } }
    if open.isEmpty { return }
    out.append("Sec-WebSocket-Protocol: ")
    out.append(open.joined(separator: ", "))
    out.append("\r\n")
  }

  private static let secretProtocols = ["openai-insecure-api-key.", "openai-organization.", "openai-project."]

  private static func field(_ name: String, _ value: Span<UInt8>, to out: inout ByteBuffer) {
    out.append(name)
    out.append(": ")
    out.append(value)
    out.append("\r\n")
  }

  private static func append(_ id: borrowing ByteBuffer, to out: inout ByteBuffer) { out.append(id.span) }

  // MARK: The answer's head

  private static let hidden = FieldNameSet(["set-cookie", "openai-organization", "openai-project"])

  /// Learns from the answer, and hides whose account it is.
  func look(_ exchange: inout Exchange, now: Int) {
    exchange.response.removeHeaders(Self.hidden)
    guard let key else { return }
    switch exchange.response.head.status {
    case 401: provider.block(key, for: nil, until: now + Self.refusedFor, now: now)
    case 429: provider.block(key, for: model ?? target, until: now + Self.limitedFor, now: now)
    default: break
    }
  }

  private static let refusedFor = 300_000_000_000
  private static let limitedFor = 2_000_000_000
}
