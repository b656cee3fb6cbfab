import Configuration
import Engine
import Foreign
import HTTP
import Kernel
import PluginKit
import Plugins
import Testing

@Suite struct IdentityTests {
  private static let consumers = """
    { widget: { groups: [widgets], api_keys: ["sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"] },\
     ada: { groups: [staff], basic: { user: ada, password: "${PASSWORD}" } },\
     batch: { client_certificate: { san: "dns:batch.internal" } } }
    """
  /// `ada:open sesame`
  private static let basic = "Authorization: Basic YWRhOm9wZW4gc2VzYW1l"

  private func fixture(_ plugins: String) throws -> IdentityFixture {
    try IdentityFixture(plugins, consumers: Self.consumers)
  }

  @Test func `a key in a field names its consumer and goes no further`() throws {
    let fixture = try fixture("api_key: { header: X-API-Key, forward: { X-Consumer: consumer } }")
    let outcome = try fixture.ask("X-API-Key: secret\nX-Consumer: admin\nAccept: */*")
    #expect(outcome.consumer == "widget" && outcome.groups == ["widgets"])
    #expect(outcome.forwarded == ["Accept: */*", "X-Consumer: widget"])
    for wrong in ["X-API-Key: Secret", "X-API-Key: secret2", "X-API-Key: secre", "X-API-Key: "] {
      let refused = try fixture.ask(wrong)
      #expect(refused.reason == "unknown_api_key" && refused.consumer == nil)
      #expect(refused.answered.contains(#"WWW-Authenticate: APIKey realm="gateway", in="header", name="x-api-key""#))
    }
    #expect(try fixture.ask().reason == "no_credentials")
    #expect(
      fixture.worker.counted("sluice_api_key_requests")
        == [#"["accepted"]"#: 1, #"["refused"]"#: 4, #"["missing"]"#: 1])
  }

  @Test(arguments: ["Authorization: Bearer secret", "x-api-key: secret", "X-Goog-Api-Key: secret"])
  func `a key may be in one of several fields, none of which goes further`(_ field: String) throws {
    let fixture = try fixture("api_key: { header: [Authorization, x-api-key, x-goog-api-key] }")
    let outcome = try fixture.ask("\(field)\nAccept: */*")
    #expect(outcome.consumer == "widget" && outcome.forwarded == ["Accept: */*"])
    #expect(try fixture.ask(field.replacing("secret", with: "wrong")).reason == "unknown_api_key")
    // The first that is there counts, and no other is tried for it.
    let both = try fixture.ask("Authorization: Bearer wrong\nX-Goog-Api-Key: secret")
    #expect(both.reason == "unknown_api_key")
    #expect(try fixture.ask("Authorization: Basic secret").reason == "no_credentials")
    let mixed = try fixture.ask("Authorization: Basic eDp5\nx-api-key: secret")
    #expect(mixed.consumer == "widget" && mixed.forwarded.isEmpty)
  }

  @Test(arguments: [
    ("key=secret", ""), ("key=secret&a=b", "a=b"), ("a=b&key=secret&c=d", "a=b&c=d"), ("a=b&k%65y=secret", "a=b"),
    ("key=secret&a=1&key=secret", "a=1"),
  ])
  func `a key in the query goes no further`(query: String, left: String) throws {
    let outcome = try fixture("api_key: { query: key }").ask(target: "/a?\(query)")
    #expect(outcome.consumer == "widget" && outcome.secretParameter == "key")
    #expect(outcome.query == left)
  }

  @Test func `a name and a password name their consumer and go no further`() throws {
    let fixture = try fixture("basic: { realm: back office }")
    let outcome = try fixture.ask(Self.basic)
    #expect(outcome.consumer == "ada" && outcome.user == "ada" && outcome.forwarded.isEmpty)
    // A wrong password, a wrong name, no colon, no base64.
    for wrong in ["YWRhOm9wZW4=", "Ym9iOm9wZW4gc2VzYW1l", "YWRh", "YWRhOm9wZW4gc2VzYW1l=", "%", "YWRhOm9wZW4gc2VzYW1"] {
      let refused = try fixture.ask("Authorization: Basic \(wrong)")
      #expect(refused.reason == "wrong_password")
      #expect(refused.answered.contains(#"WWW-Authenticate: Basic realm="back office", charset="UTF-8""#))
    }
    #expect(try fixture.ask("Authorization: Bearer YWRhOm9wZW4gc2VzYW1l").reason == "no_credentials")
  }

  @Test func `an address that fails too often waits, and others do not`() throws {
    let fixture = try fixture("basic: { failures: 3/min }")
    for _ in 0..<3 { #expect(try fixture.ask("Authorization: Basic YWRh").reason == "wrong_password") }
    #expect(try fixture.ask(Self.basic).reason == "too_many_failed_logins")
    #expect(try fixture.ask(Self.basic).status == 429)
    #expect(try fixture.ask(Self.basic, from: IPAddress(v4: 0x0a00_0001)).consumer == "ada")
    fixture.worker.now += 20_000_000_000
    #expect(try fixture.ask(Self.basic).consumer == "ada")
  }

  private func certificate(_ names: [String]) -> ClientCertificate {
    ClientCertificate(subject: "CN=x", names: names, fingerprint: String(repeating: "0", count: 64))
  }

  @Test func `a certificate names its consumer`() throws {
    let fixture = try fixture("client_certificate: {}")
    #expect(try fixture.ask(certificate: certificate(["dns:other", "dns:batch.internal"])).consumer == "batch")
    #expect(
      try fixture.ask(certificate: certificate(["dns:batch.internal.evil"])).reason == "unknown_client_certificate")
    #expect(try fixture.ask().reason == "no_credentials")
  }

  @Test func `behind Bearer a key that nobody has is left to those whose tokens it may be`() throws {
    let secret = "0123456789abcdef0123456789abcdef"
    let fixture = try fixture("any_of: [api_key: { header: Authorization }, jwt: { secret: \(secret) }]")
    #expect(try fixture.ask("Authorization: Bearer secret").consumer == "widget")
    #expect(try fixture.ask("Authorization: Bearer a.b.c").reason == "token_malformed")
    #expect(try fixture.ask("Authorization: Bearer wrong").reason == "unknown_api_key")
    let strict = try self.fixture(
      "any_of: [api_key: { header: [X-API-Key, Authorization] }, jwt: { secret: \(secret) }]")
    #expect(try strict.ask("X-API-Key: wrong\nAuthorization: Bearer a.b.c").reason == "unknown_api_key")
  }

  @Test func `the first proof that a request carries decides`() throws {
    let fixture = try fixture(
      "any_of: [api_key: { header: X-API-Key, forward: { X-Consumer: consumer } }, basic: {}, client_certificate: {}]")
    let good = certificate(["dns:batch.internal"])
    #expect(try fixture.ask("X-API-Key: secret", certificate: good).consumer == "widget")
    #expect(try fixture.ask(Self.basic + "\nX-Consumer: admin", certificate: good).forwarded.isEmpty)
    #expect(try fixture.ask("X-API-Key: wrong\n" + Self.basic, certificate: good).reason == "unknown_api_key")
    #expect(try fixture.ask(certificate: good).consumer == "batch")
    let none = try fixture.ask()
    #expect(none.reason == "no_credentials" && none.secretParameter == nil)
    let both = try self.fixture("any_of: [basic: {}, api_key: { query: key }]").ask(Self.basic, target: "/?key=secret")
    #expect(both.consumer == "ada" && both.secretParameter == "key")
    #expect(none.answered.filter { $0.hasPrefix("WWW-Authenticate") }.count == 3)
  }

  @Test(arguments: [
    ("{ groups: [staff] }", "proceed"), ("{ groups: [admins, staff] }", "proceed"), ("[groups]", "error"),
    ("{ groups: [admins] }", "missing_group"), ("{ scopes: [read] }", "missing_scope"),
    ("{ claims: { role: admin } }", "missing_claim"), ("{ consumers: [ada] }", "proceed"),
    ("{ consumers: [bob] }", "other_consumer"), ("{ methods: [GET] }", "proceed"),
    ("{ methods: [POST, PUT] }", "method_not_permitted"),
    ("{ any_of: [{ scopes: [read] }, { groups: [staff] }] }", "proceed"),
    ("{ any_of: [{ scopes: [read] }, { groups: [admins] }] }", "no_rule_holds"),
    ("{ any_of: [{ groups: [admins] }] }", "missing_group"),
    ("{ methods: [POST], any_of: [{ groups: [staff] }] }", "method_not_permitted"), ("{}", "error"),
    ("{ any_of: [{}] }", "error"),
  ])
  func `a rule lets callers in that have what it wants`(rule: String, expected: String) throws {
    guard let fixture = try? fixture("basic: {}\nauthorize: \(rule)") else { return #expect(expected == "error") }
    let outcome = try fixture.ask(Self.basic)
    #expect(outcome.reason == expected && outcome.status == (expected == "proceed" ? 200 : 403))
    #expect(!outcome.answered.contains { $0.hasPrefix("WWW-Authenticate") })
  }

  @Test func `nobody is let in whom no plugin knows`() throws {
    #expect(try fixture("authorize: { methods: [GET] }").ask().reason == "no_identity")
  }

  @Test(arguments: [
    ("{ a: { api_keys: [secret] } }", "is no digest of a key"),
    ("{ a: { basic: { user: 'a:b', password: '${PASSWORD}' } } }", "is no user"),
    ("{ a: { basic: { user: a } } }", "`password` is missing"),
    ("{ a: { client_certificate: {} } }", "no name says whose certificate is meant"),
    ("{ a: { client_certificate: { san: batch.internal } } }", "is no name"),
    ("{ a: { jwt: { azp: x } }, b: { jwt: { azp: x } } }", "have the same claims"),
    (
      "{ a: { basic: { user: x, password: '${PASSWORD}' } }, b: { basic: { user: x, password: '${SECRET}' } } }",
      "have the same"
    ),
    ("{ a: { api_key: x } }", "did you mean `api_keys`"),
  ])
  func `a mistake in a consumer is found when the configuration is loaded`(consumers: String, message: String) {
    let text = IdentityFixture.load(IdentityFixture.configuration("basic: {}", consumers: consumers)).diagnostics.text
    #expect(text.contains(message), "\(text)")
  }

  @Test(arguments: ["api_key", "basic", "client_certificate", "authorize", "any_of", "hmac"])
  func `the example of a page loads and refuses who says nothing`(plugin: String) throws {
    let fixture = try IdentityFixture(file: try Page("plugins/\(plugin).md").example("yaml"))
    #expect([401, 403].contains(try fixture.ask().status))
  }

  @Test func `a digest is that of the standard, and reads as it is written`() throws {
    let digest = SHA256.digest(of: "abc".utf8Span.span)
    #expect(digest.hexadecimal == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(SHA256Digest(hexadecimal: digest.hexadecimal.uppercased()) == digest)
    #expect(SHA256Digest(hexadecimal: digest.hexadecimal.dropLast()) == nil)
    let again = SHA256()
    #expect(again.digest(of: "".utf8Span.span) != digest)
    #expect(again.digest(of: "abc".utf8Span.span) == digest)
  }
}
