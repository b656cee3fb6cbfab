import GatewayTesting
import Kernel
import Testing

/// Tokens of which the issuer is asked, who may be slow or away, and must not be asked more than is needed.
struct IntrospectionTests {
  private static func configuration(_ issuer: Origin, _ more: String = "", members: String = "") -> String {
    """
    admin: "127.0.0.1:${ADMIN_PORT}"
    consumers:
      portal: { groups: [staff], jwt: { client_id: portal } }
      batch: { api_keys: ["sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"] }
    plugins:
      - any_of:
          - api_key: {}
          \(members)
          - oauth2_introspection:
              url: "\(issuer.url)/introspect"
              client_id: "gate way"
              client_secret: "${CLIENT_SECRET}"
              forward: { X-User-Id: jwt.sub }
              forward_token: false
              timeout: 2s\(more.split(separator: ",").map { "\n          \($0)" }.joined())
      - authorize: { any_of: [{ scopes: [read] }, { consumers: [batch] }] }
    routes: { all: { match: /*, upstream: ORIGIN } }
    """
  }

  private var plan: RunningGateway.Plan {
    var plan = RunningGateway.Plan()
    plan.environment = [("CLIENT_SECRET", "s3cret&:=")]
    return plan
  }

  /// Knows the tokens `good…`, which are active; everything else is not.
  private func issuer(_ answer: (@Sendable (String) -> (String, String)?)? = nil) throws -> Origin {
    try Origin { connection in
      while let request = try connection.request() {
        let token = String(request.text.dropFirst("token=".count).prefix { $0 != "&" })
        if let answer, let (status, body) = answer(token) {
          try connection.answer(status, body: body)
        } else if token.hasPrefix("good") {
          try connection.answer(
            body: #"{"active":true,"sub":"ada","client_id":"portal","scope":"read write","exp":4102444800}"#)
        } else {
          try connection.answer(body: #"{"active":false}"#)
        }
      }
    }
  }

  private func ask(_ gateway: RunningGateway, _ token: String) throws -> WireMessage {
    try gateway.get("/", ["Authorization: Bearer \(token)", "X-User-Id: root"])
  }

  @Test func `a good token is asked for once, and says who calls`() throws {
    let issuer = try issuer()
    defer { issuer.stop() }
    let origin = try Origin.ok()
    try withGateway(Self.configuration(issuer), to: origin, plan) { gateway in
      for _ in 0..<3 { #expect(try ask(gateway, "good1").status == 200) }
      let question = try issuer.awaitRequests(1)[0]
      #expect(issuer.requests.count == 1)
      #expect(question.startLine == "POST /introspect HTTP/1.1")
      #expect(question["Content-Type"] == "application/x-www-form-urlencoded")
      // `gate%20way:s3cret%26%3A%3D`, each part form-encoded first.
      #expect(question["Authorization"] == "Basic Z2F0ZSUyMHdheTpzM2NyZXQlMjYlM0ElM0Q=")
      #expect(question.text == "token=good1&token_type_hint=access_token")
      let sent = origin.requests
      #expect(sent.allSatisfy { $0["X-User-Id"] == "ada" && $0["Authorization"] == nil })
      #expect(try gateway.awaitRecords(3).allSatisfy { $0["consumer"]?.string == "portal" })
      let metrics = try gateway.admin("/metrics").text
      #expect(metrics.contains(#"sluice_introspection_requests_total{result="cached"} 3"#))
      #expect(metrics.contains(#"sluice_introspection_requests_total{result="asked"} 1"#))
    }
  }

  @Test func `a bad token is 401 and remembered too, and an address that goes on with them waits`() throws {
    let issuer = try issuer()
    defer { issuer.stop() }
    try withGateway(Self.configuration(issuer, "failures: 5/min"), to: try Origin.ok(), plan) { gateway in
      #expect(try ask(gateway, "bad").status == 401)
      let again = try ask(gateway, "bad")
      #expect(again.status == 401 && again.values("WWW-Authenticate").count == 2, "\(again.fields)")
      #expect(issuer.requests.count == 1)
      #expect(try gateway.awaitRecords(1)[0]["reason"]?.string == "token_inactive")
      for number in 0..<10 { _ = try ask(gateway, "made-up-\(number)") }
      #expect(try ask(gateway, "good1").status == 429)
      #expect(issuer.requests.count <= 6)
    }
  }

  @Test func `requests with one token at the same time ask once`() throws {
    let isReady = Lock(false)
    let issuer = try issuer { _ in
      _ = Deadline.usual.poll { isReady.withLock { $0 } }
      return nil
    }
    defer { issuer.stop() }
    try withGateway(Self.configuration(issuer), to: try Origin.ok(), plan) { gateway in
      let clients = try (0..<8).map { _ in try gateway.connect() }
      for client in clients { try client.send("GET / HTTP/1.1", ["Host: a", "Authorization: Bearer good2"]) }
      _ = try issuer.awaitRequests(1)
      isReady.withLock { $0 = true }
      for client in clients { #expect(try client.response(to: "GET").status == 200) }
      #expect(issuer.requests.count == 1)
    }
  }

  @Test(arguments: [
    ("500 Internal Server Error", ""), ("200 OK", "<html>"), ("200 OK", #"{"activ":true}"#), ("401 Unauthorized", "{}"),
  ])
  func `an issuer that says nothing of use makes 503, not 401`(_ status: String, _ body: String) throws {
    let isAway = Lock(true)
    let issuer = try issuer { _ in isAway.withLock { $0 } ? (status, body) : nil }
    defer { issuer.stop() }
    try withGateway(Self.configuration(issuer), to: try Origin.ok(), plan) { gateway in
      let refused = try ask(gateway, "good3")
      #expect(refused.status == 503 && refused["Retry-After"] == "1")
      #expect(try gateway.awaitRecords(1)[0]["reason"]?.string == "introspection_unavailable")
      #expect(try gateway.get("/", ["X-API-Key: secret"]).status == 200, "others are not held up")
      isAway.withLock { $0 = false }
      #expect(try ask(gateway, "good3").status == 200)
    }
  }

  @Test func `an issuer that does not answer makes 503 in time`() throws {
    let issuer = try Origin { connection in
      _ = try connection.request()
      connection.awaitEnd()
    }
    defer { issuer.stop() }
    let text = Self.configuration(issuer).replacing("timeout: 2s", with: "timeout: 100ms")
    try withGateway(text, to: try Origin.ok(), plan) { gateway in
      let status = try ask(gateway, "good4").status
      #expect(status == 503)
    }
  }

  @Test(arguments: [
    #"{"active":true,"scope":"read","exp":1}"#, #"{"active":true,"scope":"read","nbf":4102444800}"#,
    #"{"active":true,"scope":"read","aud":"other"}"#, #"{"active":true,"scope":"read","aud":"feedback"}"#,
    #"{"active":"true","scope":"read","aud":"feedback"}"#,
  ])
  func `a token that is active but past, to come, or for others is refused`(_ body: String) throws {
    let issuer = try issuer { _ in ("200 OK", body) }
    defer { issuer.stop() }
    try withGateway(Self.configuration(issuer, "audience: feedback"), to: try Origin.ok(), plan) { gateway in
      let isGood = body == #"{"active":true,"scope":"read","aud":"feedback"}"#
      let status = try ask(gateway, "x").status
      #expect(status == (isGood ? 200 : 401))
    }
  }

  @Test func `beside jwt each judges the tokens of its kind`() throws {
    let issuer = try issuer()
    defer { issuer.stop() }
    let jwt = #"- jwt: { issuer: i, audience: a, secret: "${JWT_SECRET}" }"#
    var plan = plan
    plan.environment += [("JWT_SECRET", "0123456789abcdef0123456789abcdef")]
    try withGateway(Self.configuration(issuer, members: jwt), to: try Origin.ok(), plan) { gateway in
      let statuses = try ["good5", "aaa.bbb.ccc"].map { try ask(gateway, $0).status }
      #expect(statuses == [200, 401])
      #expect(issuer.requests.count == 1)
      #expect(try gateway.awaitRecords(2)[1]["reason"]?.string == "token_malformed")
    }
  }
}
