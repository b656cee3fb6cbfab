import Configuration
import Engine
import HTTP
import Kernel
import PluginKit
import Plugins
import Testing

@Suite struct JWTTests {
  private static let entry =
    "jwt: { issuer: https://id.example.com, audience: feedback, jwks: { file: jwks.json }, groups: jwt.groups, "
    + "forward: { X-User-Id: jwt.sub, X-Role: jwt.realm.role, X-Consumer: consumer }, forward_token: false }"
  private static let consumers = "{ support-portal: { groups: [portal], jwt: { azp: support-portal } } }"
  private let tokens: Tokens
  private let fixture: IdentityFixture

  init() throws {
    tokens = try Tokens.load()
    fixture = try IdentityFixture(Self.entry, consumers: Self.consumers)
  }

  private func ask(_ token: String, _ more: String = "", at time: Int = IdentityFixture.today) throws
    -> IdentityFixture.Outcome
  {
    try fixture.ask("Authorization: Bearer \(token)" + more, at: time)
  }

  @Test func `a token of every algorithm is verified once and then remembered`() throws {
    #expect(tokens.good.count == 14)
    for (algorithm, token) in tokens.good {
      for _ in 0..<2 {
        let outcome = try ask(token)
        #expect(outcome.reason == "proceed", "\(algorithm)")
        #expect(outcome.consumer == "support-portal" && outcome.user == "u-7")
        #expect(outcome.groups == ["staff", "eu", "portal"] && outcome.scopes == ["feedback:read", "feedback:write"])
        #expect(outcome.forwarded == ["X-User-Id: u-7", "X-Role: admin", "X-Consumer: support-portal"])
      }
    }
    #expect(fixture.worker.counted("sluice_jwt_requests") == [#"["cached"]"#: 14, #"["verified"]"#: 14])
  }

  @Test func `what is wrong with a token is a reason of its own, and the answer is the same`() throws {
    #expect(tokens.refused.count > 25)
    for (reason, token) in tokens.refused {
      let outcome = try ask(token)
      #expect(outcome.reason == reason, "\(token)")
      #expect(outcome.status == 401 && outcome.consumer == nil)
      let challenge = #"WWW-Authenticate: Bearer realm="gateway", error="invalid_token""#
      #expect(outcome.answered == ["X-Fault: policy", challenge])
    }
  }

  @Test func `a token without the scopes is told which it lacks, and other callers are not`() throws {
    let token = try #require(tokens.good.first).token
    for (rule, scopes) in [
      ("{ scopes: [feedback:read, admin] }", "feedback:read admin"), ("{ groups: [nobody] }", nil),
      ("{ any_of: [{ groups: [nobody] }, { scopes: [admin] }] }", "admin"), ("{ any_of: [{ groups: [staff] }] }", nil),
      ("{ any_of: [{ groups: [nobody] }, { consumers: [x] }] }", nil), ("{ scopes: ['a\"b'] }", ""),
    ] {
      let fixture = try IdentityFixture("any_of: [\(Self.entry), basic: {}]\nauthorize: \(rule)", consumers: Self.known)
      let lines = try fixture.ask("Authorization: Bearer \(token)").answered.filter { $0.hasPrefix("WWW-") }
      let list = scopes.map { $0.isEmpty ? "" : ", scope=\"\($0)\"" }
      #expect(
        lines == (list.map { ["WWW-Authenticate: Bearer realm=\"gateway\", error=\"insufficient_scope\"\($0)"] } ?? []))
      let other = try fixture.ask("Authorization: Basic YWRhOm9wZW4gc2VzYW1l")
      #expect(other.consumer == "ada" && !other.answered.contains { $0.hasPrefix("WWW-") })
    }
  }

  private static let known = "{ ada: { basic: { user: ada, password: \"${PASSWORD}\" } } }"

  @Test func `forged tokens drive no good one out of the cache`() throws {
    let fixture = try IdentityFixture(Self.entry.replacing("jwt: {", with: "jwt: { cache: 4,"))
    let good = tokens.good.prefix(4).map(\.token)
    for token in good { #expect(try fixture.ask("Authorization: Bearer \(token)").reason == "proceed") }
    for number in 0..<2000 {
      let token = good[number % 4]
      let forged = token.prefix(token.count - 8) + String(10_000_000 + number)
      #expect(try fixture.ask("Authorization: Bearer \(forged)").status == 401)
    }
    for token in good { #expect(try fixture.ask("Authorization: Bearer \(token)").reason == "proceed") }
    #expect(
      fixture.worker.counted("sluice_jwt_requests")
        == [#"["verified"]"#: 4, #"["cached"]"#: 4, #"["refused"]"#: 2000])
  }

  @Test func `a token that is cut or changed anywhere is refused`() throws {
    let token = Array(try #require(tokens.good.first { $0.algorithm == "ES256" }).token)
    for length in token.indices { #expect(try ask(String(token[..<length])).status == 401) }
    for index in token.indices {
      var changed = token
      changed[index] = changed[index] == "A" ? "B" : "A"
      #expect(try ask(String(changed)).status == 401, "at \(index)")
    }
  }

  @Test func `a remembered token ends when it expires, and does not hold before it begins`() throws {
    let token = tokens.good[0].token
    #expect(try ask(token).status == 200)
    #expect(try ask(token, at: 4_102_444_800 + 59).status == 200)
    #expect(try ask(token, at: 4_102_444_800 + 60).reason == "token_expired")
    #expect(try ask(token, at: 1_700_000_000 - 61).reason == "token_not_yet_valid")
    #expect(try ask(token).status == 200)
  }

  @Test func `forged tokens drive no good one out`() throws {
    let small = try IdentityFixture(Self.entry.dropLast() + ", cache: 2 }")
    let good = tokens.good.prefix(2).map(\.token)
    for token in good { _ = try small.ask("Authorization: Bearer \(token)") }
    for number in 0..<1000 { _ = try small.ask("Authorization: Bearer \(good[0])\(number)") }
    for token in good { #expect(try small.ask("Authorization: Bearer \(token)").status == 200) }
    #expect(small.worker.counted("sluice_jwt_requests")[#"["verified"]"#] == 2)
  }

  @Test func `of more tokens than there are places, those in use stay`() throws {
    let small = try IdentityFixture(Self.entry.dropLast() + ", cache: 3 }")
    for _ in 0..<3 {
      for (_, token) in tokens.good { #expect(try small.ask("Authorization: Bearer \(token)").user == "u-7") }
    }
    #expect(small.worker.counted("sluice_jwt_requests")[#"["verified"]"#] == 42)
  }

  @Test func `fields of the identity are taken from the client whether or not there is a token`() throws {
    let forged = "\nX-User-Id: admin\nx-role: root\nX-Other: kept"
    #expect(try ask(tokens.good[0].token, forged).forwarded.filter { $0.hasPrefix("X-User-Id") } == ["X-User-Id: u-7"])
    #expect(try fixture.ask("Accept: */*" + forged).forwarded == ["Accept: */*", "X-Other: kept"])
  }

  @Test func `an algorithm that the configuration does not name is refused`() throws {
    let pinned = try IdentityFixture(Self.entry.dropLast() + ", algorithms: [ES256, EdDSA] }")
    for (algorithm, token) in tokens.good {
      let expected = algorithm == "ES256" || algorithm == "EdDSA" ? "proceed" : "token_algorithm"
      #expect(try pinned.ask("Authorization: Bearer \(token)").reason == expected, "\(algorithm)")
    }
  }

  @Test func `a key in PEM takes what RSA signs and nothing else`() throws {
    let pem = try IdentityFixture("jwt: { issuer: https://id.example.com, audience: feedback, pem: rsa.pem }")
    for (algorithm, token) in tokens.good {
      let expected = algorithm.hasPrefix("RS") || algorithm.hasPrefix("PS") ? "proceed" : "token_algorithm"
      #expect(try pem.ask("authorization: bearer \(token)").reason == expected, "\(algorithm)")
    }
    for (_, token) in tokens.refused { #expect(try pem.ask("Authorization: Bearer \(token)").status == 401) }
  }

  @Test func `a claim is a key for a limit`() throws {
    let limited = try IdentityFixture(Self.entry + "\nrate_limit: { rate: 1/min, key: jwt.sub }")
    #expect(try limited.ask("Authorization: Bearer \(tokens.good[0].token)").status == 200)
    let other = IPAddress(v4: 0x0a00_0001)
    #expect(try limited.ask("Authorization: Bearer \(tokens.good[1].token)", from: other).status == 429)
  }

  @Test(arguments: [
    ("{ issuer: a, audience: b }", "keys from one place"),
    ("{ jwks: { file: jwks.json }, pem: rsa.pem }", "keys from one place"),
    ("{ jwks: { file: other.json } }", "other.json has no keys: it is no JSON"),
    ("{ pem: other.pem }", "other.pem has no keys: it is no public key"),
    ("{ secret: short }", "fewer than 16"), ("{ jwks: { file: jwks.json }, groups: user }", "`user` is no claim"),
    ("{ jwks: { file: jwks.json }, forward: { X-A: ip } }", "says nothing of who calls"),
    ("{ jwks: { file: jwks.json }, algorithms: [none] }", "`none` is no known word"),
    ("{ pem: rsa.pem, algorithms: [ES256] }", "no key is for ES256"),
    ("{ pem: rsa.pem }", "tokens that are meant for others are taken too"),
  ])
  func `a mistake is found when the configuration is loaded`(entry: String, message: String) {
    let text = IdentityFixture.load(IdentityFixture.configuration("jwt: \(entry)")).diagnostics.text
    #expect(text.contains(message), "\(text)")
  }

  @Test func `the example of its page loads and refuses`() throws {
    let page = try IdentityFixture(file: try Page("plugins/jwt.md").example("yaml"))
    #expect(try page.ask().answered.contains(#"WWW-Authenticate: Bearer realm="gateway""#))
    #expect(try page.ask("Authorization: Bearer \(tokens.good[0].token)").forwarded.contains("X-User-Id: u-7"))
  }
}
