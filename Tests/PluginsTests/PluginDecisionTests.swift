import Configuration
import Engine
import GatewayTesting
import Kernel
import PluginKit
import Plugins
import Testing

/// What `explain` says of each plugin of a route, by running it.
struct PluginDecisionTests {
  private static let definitions = [
    PluginDefinition(APIKey.self), PluginDefinition(AnyOf.self), PluginDefinition(Authorize.self),
    PluginDefinition(ClientCertificateLogin.self), PluginDefinition(MessageSignature.self),
    PluginDefinition(Basic.self), PluginDefinition(CORS.self), PluginDefinition(Cache.self),
    PluginDefinition(Concurrency.self),
    PluginDefinition(Headers.self), PluginDefinition(IPAccess.self), PluginDefinition(Introspection.self),
    PluginDefinition(JWT.self),
    PluginDefinition(Quota.self), PluginDefinition(RateLimit.self), PluginDefinition(RequestSize.self),
    PluginDefinition(Validate.self),
  ]
  private static let digest = "sha256:28ab62a8e0300d274eb7828beb50a6e0c0af14937bc73d8bad978cc89a8b3ffe"

  private func snapshot(_ plugins: String, more: String = "") throws -> Snapshot {
    let text = """
      listeners: { public: "127.0.0.1:8080" }
      call_log: off
      consumers: { acme: { groups: [paying], api_keys: ["\(Self.digest)"] } }
      \(more)
      plugins:
      \(plugins.split(separator: "\n").map { "  - \($0)" }.joined(separator: "\n"))
      routes: { all: { match: "/{id}/*", upstream: "http://127.0.0.1:9101" } }
      """
    let files = ConfigurationFiles(read: { _, _ in .success(Array(text.utf8)) }, matching: { _ in [] })
    let loaded = GatewaySettings.load(
      file: "gateway.conf", environment: Environment([:]), files: files, plugins: Self.definitions.map(\.declaration))
    let found = loaded.settings
    let settings = try #require(found, "\(loaded.diagnostics.text)")
    return try Snapshot(settings, plugins: PluginCatalog(Self.definitions), previous: nil, generation: 1)
  }

  /// Decisions as the text has them.
  private func decisions(
    _ plugins: String, _ request: SampleRequest = SampleRequest("GET", "/7/a"), more: String = ""
  ) async throws -> [String] {
    let explanation = try await snapshot(plugins, more: more).explain(request)
    return explanation.decisions.map { decision in
      [decision.plugin, decision.verdict.rawValue, decision.code ?? "", decision.reason].joined(separator: "|")
    }
  }

  @Test(arguments: [
    ("api_key: X-API-Key", "X-Other: a", "no_credentials|there is no key in `x-api-key`"),
    (
      "api_key: { header: X-API-Key, query: key }", "X-Other: a",
      "no_credentials|there is no key in `x-api-key` or `?key=`"
    ),
    ("api_key: X-API-Key", "X-API-Key: wrong", "unknown_api_key|no consumer has the key in `x-api-key`"),
    ("basic: {}", "X-Other: a", "no_credentials|there is no `Authorization: Basic`"),
    ("basic: {}", "Authorization: Basic YTpi", "wrong_password|no consumer has that name with that password"),
    (
      "client_certificate: {}", "X-Other: a",
      "no_credentials|its connection has no certificate of a client"
    ),
    ("hmac: {}", "X-Other: a", "no_credentials|there are no `Signature-Input` and `Signature`"),
    (
      "hmac: {}", "Signature: a=:YQ==:",
      "signature_malformed|`Signature-Input` and `Signature` are no pair of dictionaries (RFC 9421 §4)"
    ),
  ])
  func `who is refused for want of proof is told what was wrong with it`(
    plugin: String, line: String, reason: String
  ) async throws {
    let field = line.split(separator: ": ", maxSplits: 1).map(String.init)
    let request = SampleRequest("GET", "/7/a", headers: [(field[0], field[1])])
    let name = plugin.split(separator: ":")[0]
    #expect(try await decisions(plugin, request) == ["\(name)|refuse|\(reason)"])
  }

  @Test func `the first refusal ends the chain, and says by which rule`() async throws {
    let plugins = """
      headers: { request: { set: { X-A: b } } }
      ip_access: { allow: [10.0.0.0/8], deny: [10.9.0.0/16] }
      rate_limit: 5/s
      """
    let denied = SampleRequest("GET", "/7/a", client: try #require(IPAddress("10.9.1.1")))
    #expect(
      try await decisions(plugins, denied) == [
        "headers|pass||", "ip_access|refuse|ip_denied|10.9.1.1 is in 10.9.0.0/16 of `deny`",
        "rate_limit|skipped||ip_access has decided; it acts on the answer all the same",
      ])
    let allowed = SampleRequest("GET", "/7/a", client: try #require(IPAddress("10.1.1.1")))
    #expect(
      try await decisions(plugins, allowed) == [
        "headers|pass||", "ip_access|pass||10.1.1.1 is in 10.0.0.0/8 of `allow`",
        "rate_limit|pass||5/s for ip 10.1.1.1, whose bucket is taken to be full",
      ])
  }

  @Test func `a cache says what part it would have`() async throws {
    func request(_ method: String, _ fields: [(name: String, value: String)] = []) -> SampleRequest {
      SampleRequest(method, "/7/a", headers: fields)
    }
    let kept = "cache|pass||its answer may be kept; nothing is taken to be stored"
    let passed = "cache|pass||the cache has no part in it"
    #expect(try await decisions("cache: 30s", request("GET")) == [kept])
    #expect(try await decisions("cache: 30s", request("GET", [("If-None-Match", "\"v1\"")])) == [kept])
    #expect(try await decisions("cache: 30s", request("GET", [("Cache-Control", "no-store")])) == [passed])
    #expect(try await decisions("cache: 30s", request("DELETE")) == [passed])
    let only = try await decisions("cache: 30s", request("GET", [("Cache-Control", "only-if-cached")]))
    #expect(only.count == 1 && only[0].hasPrefix("cache|refuse|not_cached|"))
  }

  @Test func `who the caller is goes from one plugin to the next`() async throws {
    let plugins = """
      api_key: { header: X-API-Key }
      authorize: { groups: [paying] }
      rate_limit: { rate: 5/s, burst: 9, key: [consumer, path.id, header.x-none] }
      """
    let known = SampleRequest("GET", "/7/a", headers: [("X-API-Key", "sk_test_1")])
    #expect(
      try await decisions(plugins, known) == [
        "api_key|pass||it is consumer acme, groups paying", "authorize|pass||the caller has all that is wanted",
        "rate_limit|pass||5/s, 9 at once for consumer acme, path.id 7, ip 127.0.0.1 for want of header.x-none, "
          + "whose bucket is taken to be full",
      ])
    let unknown = try await decisions(plugins, SampleRequest("GET", "/7/a", headers: [("X-API-Key", "wrong")]))
    #expect(unknown[0].hasPrefix("api_key|refuse|unknown_api_key|"))
    #expect(
      Array(unknown[1...])
        == ["authorize", "rate_limit"].map { "\($0)|skipped||api_key has decided; it acts on the answer all the same" })
    let poor = try await decisions("api_key: X-API-Key\nauthorize: { groups: [other, more] }", known)
    #expect(poor[1] == "authorize|refuse|missing_group|wanted is one of the groups other more")
    let nobody = try await decisions("authorize: { groups: [other] }")
    #expect(nobody == ["authorize|refuse|no_identity|no plugin before it has found out who calls"])
  }

  @Test func `a token's mistake is told to the operator`() async throws {
    let plugins = "any_of: [{ jwt: { secret: 0123456789abcdef0123456789abcdef } }, { api_key: X-API-Key }]"
    let bad = SampleRequest("GET", "/7/a", headers: [("Authorization", "Bearer a.b.c")])
    #expect(
      try await decisions(plugins, bad) == [
        "any_of|refuse|token_malformed|the token is no JWS in compact form"
      ])
    #expect(try await decisions(plugins) == ["any_of|refuse|no_credentials|it carries no proof"])
  }

  @Test func `a body is judged after all heads, with what is wrong with it`() async throws {
    let plugins = """
      validate: { request: { schema: { type: object, required: [a] } } }
      concurrency: 3
      """
    let bad = SampleRequest("POST", "/7/a", headers: [("Content-Type", "application/json")], body: Array("{}".utf8))
    let found = try await decisions(plugins, bad)
    #expect(found[0].hasPrefix("validate|refuse|schema_violated|\"violations\":[{\"pointer\":\"\""))
    #expect(found[0].hasSuffix("; by the body"))
    #expect(found[1] == "concurrency|pass||3 at once for route all, of which none is taken to be under way")
    let good = SampleRequest(
      "POST", "/7/a", headers: [("Content-Type", "application/json")], body: Array(#"{"a":1}"#.utf8))
    #expect(try await decisions(plugins, good)[0] == "validate|pass||")
  }

  @Test func `a preflight is answered`() async throws {
    let preflight = SampleRequest(
      "OPTIONS", "/7/a", headers: [("Origin", "https://a.example"), ("Access-Control-Request-Method", "GET")])
    let found = try await snapshot("cors: https://a.example\nrequest_size: 1KiB").explain(preflight).decisions
    #expect(found.map(\.verdict) == [.answer, .skipped])
    #expect(found[0].status == 204)
    #expect(found[0].reason == "pages of this origin may read the answer")
  }

  @Test func `a shared store is not asked, and that is said`() async throws {
    let found = try await decisions(
      "rate_limit: { rate: 1/h, store: shared }\nrequest_size: { target: 3B }",
      more: #"stores: { shared: "redis://127.0.0.1:1" }"#)
    #expect(
      found == [
        "rate_limit|unknown||1/h for ip 127.0.0.1, whose bucket is taken to be full; "
          + "it would ask the store `shared`, which was not done",
        "request_size|refuse|target_too_long|the target has 4 of 3 bytes",
      ])
  }

  @Test func `asking changes nothing: neither buckets nor a quota's file`() async throws {
    let directory = try TemporaryDirectory()
    let path = directory["quota"]
    let title = "sluice quota 1\nab 99999999999\n"
    try File(path, .replace).writeAll(title.utf8Span.span)
    let snapshot = try snapshot(
      "quota: { limit: 1, per: month, key: ip, file: \"\(path)\" }\nrate_limit: { rate: 1/h }")
    for _ in 0..<3 {
      let decisions = try await snapshot.explain(SampleRequest("GET", "/7/a")).decisions
      #expect(decisions.map(\.verdict) == [.pass, .pass])
      #expect(
        decisions[0].reason
          == "1 a month for ip 127.0.0.1, of which 1 are used with this one, as the file has it")
    }
    #expect(try directory.read("quota") == title)
  }

  @Test func `text and JSON have every decision`() async throws {
    let explanation = try await snapshot("rate_limit: 5/s\nip_access: { deny: [127.0.0.1] }\nrequest_size: 1KiB")
      .explain(SampleRequest("GET", "/7/a"))
    #expect(
      explanation.text.contains(
        "  decisions  rate_limit: pass, 5/s for ip 127.0.0.1, whose bucket is taken to be full\n"
          + "             ip_access: refuse 403 ip_denied, 127.0.0.1 is in 127.0.0.1/32 of `deny`\n"
          + "             request_size: skipped, ip_access has decided\n"))
  }
}
