import Configuration
import Engine
import Foreign
import GatewayTesting
import HTTP
import Kernel
import PluginKit
import Plugins
import Testing

/// The plugins of a whole configuration, with its consumers, and files that lie in memory.
struct IdentityFixture {
  let chain: Chain
  let worker = StillWorker()
  static let definitions = [
    PluginDefinition(APIKey.self), PluginDefinition(AnyOf.self), PluginDefinition(Authorize.self),
    PluginDefinition(Basic.self), PluginDefinition(ClientCertificateLogin.self), PluginDefinition(Introspection.self),
    PluginDefinition(JWT.self),
    PluginDefinition(RateLimit.self), PluginDefinition(MessageSignature.self),
  ]

  struct Mistakes: Error { let text: String }

  /// What became of a request.
  struct Outcome {
    var reason = "proceed"
    var status = 200
    var consumer: String?
    var user: String?
    var groups: [String] = []
    var scopes: [String] = []
    var forwarded: [String] = []
    var answered: [String] = []
    var query: String?
    var secretParameter: String?
  }

  static func load(_ text: String) -> LoadedSettings {
    let tokens = try? Tokens.load()
    let files = ConfigurationFiles(
      read: { path, _ in
        if path.hasSuffix("jwks.json"), let tokens { return .success(Array(tokens.jwks.utf8)) }
        if path.hasSuffix("rsa.pem"), let tokens { return .success(Array(tokens.pem.utf8)) }
        return .success(Array(text.utf8))
      }, matching: { _ in [] })
    return GatewaySettings.load(
      file: "gateway.conf",
      environment: Environment(["PASSWORD": "open sesame", "SECRET": "0123456789abcdef0123456789abcdef"]), files: files,
      plugins: definitions.map(\.declaration))
  }

  static func configuration(_ plugins: String, consumers: String = "{}") -> String {
    let entries = plugins.split(separator: "\n").map { "  - \($0)\n" }.joined()
    return """
      listeners: { public: "127.0.0.1:8080" }
      call_log: off
      consumers: \(consumers)
      plugins:
      \(entries)
      routes: { all: { match: /*, upstream: "http://127.0.0.1:9101" } }
      """
  }

  init(_ plugins: String, consumers: String = "{}") throws {
    try self.init(file: Self.configuration(plugins, consumers: consumers))
  }

  init(file: String) throws {
    let loaded = Self.load(file)
    guard let settings = loaded.settings else { throw Mistakes(text: loaded.diagnostics.text) }
    worker.consumers = ConsumerDirectory(settings.consumers)
    worker.now = 1_000_000_000
    var plugins: [any Plugin] = []
    for entry in settings.plugins + settings.routes[0].plugins {
      let definition = try #require(Self.definitions.first { $0.name == entry.name })
      plugins.append(definition.instance(try definition.share(entry.settings), worker))
    }
    chain = Chain(plugins)
  }

  /// Seconds since 1970 at which every token that is good is good.
  static let today = 1_800_000_000

  func ask(
    _ fields: String = "", target: String = "/", method: String = "GET", certificate: ClientCertificate? = nil,
    from client: IPAddress = IPAddress(v4: 0x7f00_0001), at seconds: Int = today
  ) throws -> Outcome {
    let lines = fields.isEmpty ? "" : fields + "\n"
    var fixture = try ExchangeFixture("\(method) \(target) HTTP/1.1\nHost: a.example\n\(lines)\n")
    fixture.exchange.client = client
    fixture.exchange.clientCertificate = certificate
    fixture.exchange.began = seconds * 1_000_000_000
    var outcome = Outcome()
    if case .fail(let fault) = chain.runRequestHeadAtOnce(&fixture.exchange) {
      fixture.refuse(fault)
      outcome.reason = fault.reason.description
      outcome.status = fault.status
    }
    chain.runResponseHead(&fixture.exchange)
    outcome.consumer = fixture.exchange.consumer
    outcome.user = fixture.exchange.user
    outcome.groups = fixture.exchange.identity?.groups ?? []
    outcome.scopes = fixture.exchange.identity?.scopes ?? []
    outcome.forwarded = fixture.forwarded.filter { !$0.hasPrefix("Host:") }
    outcome.answered = fixture.answered
    outcome.secretParameter = fixture.exchange.secretParameter
    outcome.query = Self.text(fixture.exchange.forwardedQuery)
    return outcome
  }

  private static func text(_ buffer: borrowing ByteBuffer?) -> String? {
    switch buffer {
    case .some(let buffer): String(decoding: buffer.span.indices.map { buffer.span[$0] }, as: UTF8.self)
    case .none: nil
    }
  }
}

/// Tokens that PyJWT made, with the keys to check them, in `Tokens.json`; the private keys are gone.
struct Tokens: Sendable {
  let jwks: String
  let pem: String
  let good: [(algorithm: String, token: String)]
  let refused: [(reason: String, token: String)]

  static func load() throws -> Tokens {
    let folder = #filePath.split(separator: "/").dropLast().joined(separator: "/")
    let text = String(decoding: try TextFiles.read("/\(folder)/Tokens.json", limit: 1 << 20), as: UTF8.self)
    let json = try JSONValue(parsing: text)
    func pairs(_ list: String, _ key: String) -> [(String, String)] {
      guard case .array(let items)? = json[list] else { return [] }
      return items.map { ($0[key]?.string ?? "", $0["token"]?.string ?? "") }
    }
    return Tokens(
      jwks: json["jwks"]?.string ?? "", pem: json["pem"]?.string ?? "",
      good: pairs("good", "algorithm").map { (algorithm: $0.0, token: $0.1) },
      refused: pairs("refused", "reason").map { (reason: $0.0, token: $0.1) })
  }
}
