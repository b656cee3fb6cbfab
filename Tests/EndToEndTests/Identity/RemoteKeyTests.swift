import GatewayTesting
import Kernel
import Testing

/// Keys of tokens that are fetched from their issuer, who may be away, slow, wrong, or change them.
struct RemoteKeyTests {
  /// An issuer with two keys, of which it publishes what a test says.
  private struct Issuer: ~Copyable {
    let directories: [TemporaryDirectory]

    init() throws { directories = [try TemporaryDirectory(), try TemporaryDirectory()] }

    func token(_ key: Int = 0, subject: String = "ada") throws -> String {
      let script = String(#filePath.prefix(upTo: #filePath.lastIndex(of: "/")!)) + "/token.sh"
      let made = try TLSFixture.run("\(script) '\(directories[key]["."])' '\"sub\":\"\(subject)\"' k\(key + 1)")
      #expect(made.status == 0, "\(made.output)")
      return made.output
    }

    func set(_ key: Int = 0) throws -> String {
      _ = try token(key)
      return try TLSFixture.run("cat '\(directories[key]["jwks.json"])'").output
    }
  }

  private static func configuration(_ url: String, _ more: String = "") -> String {
    """
    admin: "127.0.0.1:${ADMIN_PORT}"
    routes:
      all:
        match: /*
        plugins:
          - jwt:
              issuer: https://id.example.com
              audience: feedback
              jwks: { url: "\(url)", cooldown: 200ms, timeout: 2s\(more) }
              forward: { X-User-Id: jwt.sub }
        respond: { status: 204 }
    """
  }

  private func ask(_ gateway: RunningGateway, _ token: String) throws -> Int {
    try gateway.get("/", ["Authorization: Bearer \(token)"]).status
  }

  /// Serves what the box has at the moment: a status line, and a body.
  private func serving(_ answer: Lock<(status: String, body: String)>, _ fields: [String] = []) throws -> Origin {
    try Origin { connection in
      while try connection.request() != nil {
        let (status, body) = answer.withLock { $0 }
        try connection.answer(status, fields, body: body)
      }
    }
  }

  private func fetches(_ gateway: RunningGateway, _ result: String) throws -> Int {
    let lines = try gateway.admin("/metrics").text.split(separator: "\n")
    let line = lines.first { $0.hasPrefix("sluice_jwt_key_fetches_total") && $0.contains("result=\"\(result)\"") }
    return line.flatMap { $0.split(separator: " ").last }.flatMap { Int($0) } ?? 0
  }

  @Test func `keys are fetched, and a request that comes before them waits`() throws {
    let issuer = try Issuer()
    let (token, set) = (try issuer.token(), try issuer.set())
    let isReady = Lock(false)
    let origin = try Origin { connection in
      while try connection.request() != nil {
        guard Deadline.usual.poll({ isReady.withLock { $0 } }) else { throw WireError.timedOut }
        try connection.answer(body: set)
      }
    }
    defer { origin.stop() }
    try withGateway(Self.configuration("\(origin.url)/keys?a=b")) { gateway in
      let client = try gateway.connect()
      try client.send("GET / HTTP/1.1", ["Host: a", "Authorization: Bearer \(token)"])
      _ = try origin.awaitRequests(1)
      isReady.withLock { $0 = true }
      #expect(try client.response(to: "GET").status == 204)
      let request = try origin.awaitRequests(1)[0]
      #expect(request.startLine == "GET /keys?a=b HTTP/1.1" && request["Authorization"] == nil)
      #expect(try ask(gateway, token) == 204 && origin.requests.count == 1)
      #expect(try fetches(gateway, "fetched") == 1)
    }
  }

  @Test func `keys that cannot be used lock nobody out`() throws {
    let issuer = try Issuer()
    let (token, set) = (try issuer.token(), try issuer.set())
    let others =
      #"{"kty":"EC","crv":"P-256","kid":"a"},{"kty":"RSA","n":"AQAB","e":"AQAB"},"#
      + #"{"kty":"oct","alg":"RS256"},{"kty":5},1,"#
    let start = try #require(set.firstRange(of: "[")).upperBound
    let origin = try serving(Lock((status: "200 OK", body: set[..<start] + others + set[start...])))
    defer { origin.stop() }
    try withGateway(Self.configuration("\(origin.url)/keys")) { gateway in
      let status = try ask(gateway, token)
      #expect(status == 204)
    }
  }

  @Test func `over TLS the issuer must be who it says`() throws {
    let issuer = try Issuer()
    let (token, set) = (try issuer.token(), try issuer.set())
    let files = try TLSFixture.files
    let serving = "routes: { keys: { match: /keys, respond: { status: 200, json: \(set) } } }"
    try withGateway(serving, TLSFixture.plan([files.localhost])) { server in
      let url = "https://localhost:\(server.port)/keys"
      try withGateway(Self.configuration(url, ", authority: \"\(files.authority.certificate)\"")) { gateway in
        let status = try ask(gateway, token)
        #expect(status == 204)
      }
      try withGateway(Self.configuration(url)) { gateway in
        let status = try ask(gateway, token)
        let record = try gateway.awaitRecords(1)[0]
        #expect(status == 503 && record["reason"]?.string == "keys_unavailable")
      }
    }
  }

  @Test func `an issuer that is away makes 503, and is asked until it is there`() throws {
    let issuer = try Issuer()
    let (token, set) = (try issuer.token(), try issuer.set())
    let answer = Lock((status: "503 Service Unavailable", body: ""))
    let origin = try serving(answer)
    defer { origin.stop() }
    try withGateway(Self.configuration(origin.url)) { gateway in
      let refused = try gateway.get("/", ["Authorization: Bearer \(token)"])
      #expect(refused.status == 503 && refused["Retry-After"] == "1")
      #expect(refused.text.contains("keys_unavailable") || refused.text.contains("cannot be fetched"))
      #expect(try gateway.get("/").status == 401, "who shows no token is told so all the same")
      answer.withLock { $0 = ("200 OK", set) }
      let isThere = try Deadline.usual.poll { try ask(gateway, token) == 204 }
      #expect(isThere)
    }
  }

  @Test(arguments: [
    ("200 OK", "<html>"), ("200 OK", #"{"keys":[]}"#), ("200 OK", #"{"keys":[{"kty":"oct","kid":"k1","k":"AAAA"}]}"#),
    ("302 Found", ""), ("500 Internal Server Error", ""), ("200 OK", String(repeating: " ", count: 2 << 20)),
  ])
  func `what is no key set does not take the place of one`(_ status: String, _ body: String) throws {
    let issuer = try Issuer()
    let (token, set) = (try issuer.token(), try issuer.set())
    let answer = Lock((status: "200 OK", body: set))
    let origin = try serving(answer, ["Location: /elsewhere"])
    defer { origin.stop() }
    try withGateway(Self.configuration(origin.url, ", refresh: 1s")) { gateway in
      #expect(try ask(gateway, token) == 204)
      answer.withLock { $0 = (status, body) }
      let hasFailed = try Deadline.usual.poll {
        try fetches(gateway, "failed") + fetches(gateway, "unreadable") >= 1
      }
      #expect(hasFailed)
      #expect(try ask(gateway, token) == 204)
      #expect(origin.requests.allSatisfy { $0.target == "/" }, "a redirect is not followed")
    }
  }

  @Test func `keys that change under traffic are taken at once, and those that are gone hold no more`() throws {
    let issuer = try Issuer()
    let (old, new) = (try issuer.token(0), try issuer.token(1))
    let (first, next) = (try issuer.set(0), try issuer.set(1))
    let answer = Lock((status: "200 OK", body: first))
    let origin = try serving(answer)
    defer { origin.stop() }
    var plan = RunningGateway.Plan()
    plan.workers = 2
    try withGateway(Self.configuration(origin.url), plan) { gateway in
      for _ in 0..<8 { #expect(try ask(gateway, old) == 204) }
      answer.withLock { $0 = ("200 OK", next) }
      // A token that names a key nobody knows is reason enough to look, once the last look is a while ago.
      let isKnown = try Deadline.usual.poll { try ask(gateway, new) == 204 }
      #expect(isKnown)
      for _ in 0..<8 {
        #expect(try ask(gateway, new) == 204)
        #expect(try ask(gateway, old) == 401)
      }
    }
  }

  @Test func `tokens that name keys nobody has neither fetch more often nor drive good ones out`() throws {
    let issuer = try Issuer()
    let (good, forged, set) = (try issuer.token(0), try issuer.token(1), try issuer.set(0))
    let origin = try serving(Lock((status: "200 OK", body: set)))
    defer { origin.stop() }
    let text = Self.configuration(origin.url).replacing("cooldown: 200ms", with: "cooldown: 1s")
    try withGateway(text) { gateway in
      #expect(try ask(gateway, good) == 204)
      let began = Clock.monotonic
      for _ in 0..<300 { #expect(try ask(gateway, forged) == 401) }
      let seconds = (Clock.monotonic - began) / 1_000_000_000
      let fetches = origin.requests.count
      #expect(fetches <= seconds + 2, "\(fetches) fetches in \(seconds) s")
      #expect(try ask(gateway, good) == 204)
      let metrics = try gateway.admin("/metrics").text
      #expect(metrics.contains(#"sluice_jwt_requests_total{result="verified"} 1"#))
      #expect(metrics.contains(#"sluice_jwt_requests_total{result="refused"} 300"#))
    }
  }

  @Test func `a reload keeps the keys`() throws {
    let issuer = try Issuer()
    let token = try issuer.token()
    let set = try issuer.set()
    let answer = Lock((status: "200 OK", body: set))
    let origin = try serving(answer)
    defer { origin.stop() }
    let text = Self.configuration(origin.url)
    try withGateway(text) { gateway in
      #expect(try ask(gateway, token) == 204)
      answer.withLock { $0 = ("500 Internal Server Error", "") }
      let next = RunningGateway.configuration(text.replacing("status: 204", with: "status: 202"))
      try gateway.directory.write(next, to: "gateway.conf")
      gateway.process.signal(ProcessSignal.hangup)
      let isReloaded = try Deadline.usual.poll { try gateway.metric("sluice_config_reloads_total") == 1 }
      #expect(isReloaded)
      #expect(try ask(gateway, token) == 202)
    }
  }
}
