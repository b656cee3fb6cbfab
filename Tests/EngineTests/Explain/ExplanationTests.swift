import Configuration
import Engine
import Testing

/// What `explain` says of a request.
struct ExplanationTests {
  private static let text = """
    listeners: { public: "127.0.0.1:8080", inside: "127.0.0.1:8081" }
    call_log: off
    limits: { request_body: 1KiB }
    upstreams:
      items: { targets: ["http://127.0.0.1:1", { url: "http://127.0.0.1:2", weight: 3 }], timeouts: { total: 9s } }
    routes:
      item: { match: "GET /v1/items/{id}", upstream: items, timeouts: { first_byte: 2s } }
      new: { match: POST /v1/items, upstream: items, rewrite: { strip_prefix: /v1, prefix: /api, host: items.internal } }
      special: { match: { paths: ["/v1/items/{id}"], methods: [GET], headers: { x-beta: "1" } }, respond: 204 }
      hosted: { match: { hosts: [a.example], paths: [/*] }, respond: 200 }
      strict: { match: /strict/*, upstream: items, empty_segments: refuse }
      kept: { match: "/kept/{id}/x", upstream: items, empty_segments: keep }
      inner: { match: { paths: [/in], listeners: [inside] }, redirect: /out }
    """

  private func explain(_ request: SampleRequest) async throws -> Explanation {
    let files = ConfigurationFiles(read: { _, _ in .success(Array(Self.text.utf8)) }, matching: { _ in [] })
    let loaded = GatewaySettings.load(file: "gateway.conf", environment: Environment([:]), files: files)
    let settings = try #require(loaded.settings, "\(loaded.diagnostics.text)")
    let snapshot = try Snapshot(settings, plugins: PluginCatalog([]), previous: nil, generation: 1)
    return try await snapshot.explain(request)
  }

  @Test func `a request is followed to its upstream`() async throws {
    let explanation = try await explain(SampleRequest("GET", "/v1/items/7?x=1"))
    let way = try #require(explanation.way)
    #expect(way.route.name == "item")
    #expect(way.template == "/v1/items/{id}")
    #expect(way.parameters.map(\.name) == ["id"])
    #expect(way.parameters.map(\.value) == ["7"])
    #expect(way.forward?.target == "/v1/items/7?x=1")
    #expect(way.forward?.timeouts.firstByte == .seconds(2))
    #expect(way.forward?.timeouts.total == .seconds(9))
    #expect(explanation.refusal == nil)
    #expect(explanation.candidates.first?.route == "special")
    #expect(explanation.candidates.first?.reason == "it asks for the field x-beta: 1")
  }

  @Test func `a rewrite is shown as the upstream sees it`() async throws {
    let forward = try #require(
      try await explain(SampleRequest("POST", "http://shop.example/v1/items", body: [1])).way?.forward)
    #expect(forward.target == "/api/items")
    #expect(forward.host == "items.internal")
  }

  @Test func `of two that fit the more specific one is taken, and the other told of`() async throws {
    let explanation = try await explain(SampleRequest("GET", "/v1/items/7", headers: [("X-Beta", "1")]))
    #expect(explanation.way?.route.name == "special")
    #expect(explanation.candidates.first?.reason == "it matches too, but special is more specific")
  }

  @Test func `the path is normalised as on its way`() async throws {
    let explanation = try await explain(SampleRequest("GET", "/v1/x/../items/%37"))
    #expect(explanation.path == "/v1/items/7")
    #expect(explanation.way?.route.name == "item")
  }

  @Test func `empty segments are merged or kept as on their way`() async throws {
    let merged = try await explain(SampleRequest("GET", "//v1//items/7"))
    #expect(merged.way?.forward?.target == "/v1/items/7")
    let kept = try #require(try await explain(SampleRequest("GET", "//kept///7//x")).way)
    #expect(kept.forward?.target == "//kept///7//x")
    #expect(kept.parameters.map(\.value) == ["7"])
  }

  @Test func `a refusal ends the explanation, and says what would help`() async throws {
    let text = try await explain(SampleRequest("GET", "/v1/items/a%2Fb")).text
    #expect(text.contains("encoded_slashes: keep"))
    for row in ["route      item", "matched    /v1/items/{id}"] { #expect(text.contains(row)) }
    for row in ["handler", "sends", "retries", "plugins"] { #expect(!text.contains("  \(row) ")) }
  }

  @Test func `what is asked of the server is answered by the gateway`() async throws {
    let explanation = try await explain(SampleRequest("OPTIONS", "*"))
    #expect(explanation.answer?.hasPrefix("204 by the gateway itself, Allow: GET") == true)
    #expect(explanation.text.contains("answers    204"))
    #expect(explanation.refusal == nil && explanation.way == nil)
  }

  @Test func `a URL names host and listener`() async throws {
    #expect(try await explain(SampleRequest("GET", "http://a.example/x")).way?.route.name == "hosted")
    let inner = try await explain(SampleRequest("GET", "http://127.0.0.1:8081/in"))
    #expect(inner.listener == "inside")
    #expect(inner.way?.route.name == "inner")
    #expect(try await explain(SampleRequest("GET", "/in")).way == nil)
    #expect(try await explain(SampleRequest("GET", "/in", listener: "inside")).way?.route.name == "inner")
  }

  @Test func `an unknown listener is an error that names those there are`() async {
    let error = await #expect(throws: ExplanationError.self) {
      try await explain(SampleRequest("GET", "/", listener: "outside"))
    }
    #expect(error?.description == "there is no listener `outside`: the file has public, inside")
  }

  @Test(arguments: [
    (SampleRequest("G T", "/"), "`G T` is no method: it is one word, such as GET"),
    (SampleRequest("", "/"), "`` is no method: it is one word, such as GET"),
    (SampleRequest("GET", "/a b"), "`/a b` is no URL: write %20 for a space"),
    (SampleRequest("GET", "http://a b/"), "`http://a b/` is no URL: write %20 for a space"),
    (SampleRequest("GET", "/", headers: [("A", "b\r\nC: d")]), "a header stands on one line"),
  ])
  func `what no client could send is an error that says why`(request: SampleRequest, why: String) async {
    let error = await #expect(throws: ExplanationError.self) { try await explain(request) }
    #expect(error?.description == why)
  }

  struct Refused: Sendable {
    let request: SampleRequest
    let status: Int
    let code: String
  }

  @Test(arguments: [
    Refused(request: SampleRequest("GET", "/nowhere"), status: 404, code: "no_route"),
    Refused(request: SampleRequest("PUT", "/v1/items/7"), status: 405, code: "method_not_allowed"),
    Refused(request: SampleRequest("GET", "/\u{e9}"), status: 400, code: "invalid_target"),
    Refused(request: SampleRequest("GET", "/v1/items/a%2Fb"), status: 400, code: "encoded_slash"),
    Refused(request: SampleRequest("CONNECT", "a.example:443"), status: 501, code: "tunnel_refused"),
    Refused(request: SampleRequest("GET", "/strict//x"), status: 400, code: "empty_segment"),
    Refused(
      request: SampleRequest("POST", "/v1/items", body: Array(repeating: 1, count: 1025)), status: 413,
      code: "body_too_large"),
    Refused(request: SampleRequest("GET", "/", headers: [("Bad(Name", "x")]), status: 400, code: "invalid_field_name"),
    Refused(
      request: SampleRequest("GET", "/", headers: [("A", String(repeating: "x", count: 20_000))]), status: 431,
      code: "head_too_large"),
  ])
  func `a refusal is what the gateway would answer`(_ refused: Refused) async throws {
    let refusal = try #require(try await explain(refused.request).refusal)
    #expect(refusal.status == refused.status)
    #expect(refusal.code == refused.code)
  }

  @Test func `a wrong method names those that are taken`() async throws {
    let explanation = try await explain(SampleRequest("PUT", "/v1/items"))
    #expect(explanation.refusal?.detail.hasSuffix("Here: POST.") == true)
    #expect(explanation.candidates.map(\.reason).contains("it takes POST, not PUT"))
    #expect(explanation.text.contains("refused    405 method_not_allowed"))
  }

  @Test func `the text names every target`() async throws {
    let text = try await explain(SampleRequest("GET", "/v1/items/7")).text
    for part in [
      "route      item  (gateway.conf:7)", "127.0.0.1:1\n", "127.0.0.1:2, weight 3", "more: their paths do not match",
    ] {
      #expect(text.contains(part), "\(part) in \(text)")
    }
  }
}
