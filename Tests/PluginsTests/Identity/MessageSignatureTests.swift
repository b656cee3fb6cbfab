import Configuration
import Engine
import Foreign
import HTTP
import Kernel
import PluginKit
import Plugins
import Testing

/// Signed requests; what is signed is written down here by hand, not made by what is tested.
@Suite struct MessageSignatureTests {
  private struct Refused: Error {}
  private static let today = IdentityFixture.today
  private static let consumers = """
    { partner: { groups: [partners], hmac: { key_id: partner-1, secret: "${SECRET}" } },\
     other: { hmac: { key_id: partner-2, secret: "${PASSWORD}" } } }
    """
  private static let body = #"{"hello": "world"}"#
  /// Of the body, as RFC 9530 Appendix B and RFC 9421 B.2 have them.
  private static let sha256 = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"
  private static let sha512 =
    "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:"

  private func fixture(_ settings: String = "{}") throws -> IdentityFixture {
    try IdentityFixture("hmac: \(settings)", consumers: Self.consumers)
  }

  /// The fields of a signature over lines that are signed.
  private func sign(
    _ lines: [(String, String)], created: Int = today, more: String = "", keyID: String = "partner-1",
    secret: String = "0123456789abcdef0123456789abcdef", label: String = "sig"
  ) throws -> String {
    let covered = lines.map { "\"\($0.0)\"" }.joined(separator: " ")
    let parameters = "(\(covered));created=\(created);keyid=\"\(keyID)\"\(more)"
    let base = lines.map { "\"\($0.0)\": \($0.1)\n" }.joined() + "\"@signature-params\": \(parameters)"
    var code = ByteBuffer()
    #expect(try #require(HMAC(key: Array(secret.utf8))).append(codeOf: base.utf8Span.span, to: &code))
    var text = ByteBuffer()
    Base64.append(code.span, to: &text)
    let value = String(decoding: text.span.indices.map { text.span[$0] }, as: UTF8.self)
    return "Signature-Input: \(label)=\(parameters)\nSignature: \(label)=:\(value):"
  }

  private static let get = [("@method", "GET"), ("@authority", "a.example"), ("@path", "/")]

  /// The reason for which a request with a body is refused, by its head or by its body.
  private func post(
    _ fields: String, _ body: String = body, to fixture: IdentityFixture, target: String = "/v1?x=1"
  ) throws -> String {
    var exchange = try ExchangeFixture(
      "POST \(target) HTTP/1.1\nHost: A.example:80\nContent-Length: \(body.utf8.count)\n\(fields)\n\n")
    exchange.exchange.began = Self.today * 1_000_000_000
    if case .fail(let fault) = fixture.chain.runRequestHeadAtOnce(&exchange.exchange) {
      return fault.reason.description
    }
    guard fixture.chain.wishForRequestBody(&exchange.exchange) != nil else { return "no wish" }
    exchange.hold(body)
    if case .fail(let fault) = fixture.chain.runRequestBody(&exchange.exchange) { return fault.reason.description }
    return exchange.exchange.consumer ?? "nobody"
  }

  private func signedPost(_ digest: String, drop: String = "", more: String = "") throws -> String {
    var lines = [("@method", "POST"), ("@authority", "a.example"), ("@path", "/v1"), ("@query", "?x=1")]
    lines.append(("content-digest", digest))
    return "Content-Digest: \(digest)\n" + (try sign(lines.filter { $0.0 != drop })) + more
  }

  @Test func `a signed request names its consumer, once`() throws {
    let fixture = try fixture("{ forward: { X-Consumer: consumer } }")
    let signature = try sign(Self.get)
    let outcome = try fixture.ask(signature + "\nX-Consumer: admin")
    #expect(outcome.consumer == "partner" && outcome.groups == ["partners"])
    #expect(outcome.forwarded.contains("X-Consumer: partner") && !outcome.forwarded.contains("X-Consumer: admin"))
    let again = try fixture.ask(signature)
    #expect(again.reason == "signature_replayed" && again.consumer == nil)
    #expect(try fixture.ask(try sign(Self.get, more: ";nonce=\"2\"")).consumer == "partner")
    let none = try fixture.ask()
    #expect(none.reason == "no_credentials" && none.status == 401)
    #expect(none.answered.contains("WWW-Authenticate: Signature realm=\"gateway\""))
    #expect(
      none.answered.contains(
        #"Accept-Signature: sig=("@method" "@authority" "@path" "@query" "content-digest");created;alg="hmac-sha256""#))
  }

  @Test func `the request of the standard's example B_2_5 has the signature of the standard`() throws {
    let fixture = try IdentityFixture(
      "hmac: { components: [date], maximum_skew: 5m }",
      consumers: """
        { test: { hmac: { key_id: test-shared-secret, encoding: base64,\
         secret: "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==" } } }
        """)
    let request = """
      Date: Tue, 20 Apr 2021 02:07:55 GMT
      Content-Type: application/json
      Signature-Input: sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"
      Signature: sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:
      """
    var exchange = try ExchangeFixture(
      "POST /foo?param=Value&Pet=dog HTTP/1.1\nHost: example.com\n\(request)\nContent-Length: 18\n\n")
    exchange.exchange.began = 1_618_884_475 * 1_000_000_000
    guard case .proceed = fixture.chain.runRequestHeadAtOnce(&exchange.exchange) else { throw Refused() }
    #expect(exchange.exchange.consumer == "test")
  }

  @Test func `derived components are those of the request`() throws {
    let fixture = try fixture("{ components: [\"@method\"] }")
    let lines = [
      ("@method", "GET"), ("@target-uri", "http://a.example/a%20b?c=d&e"), ("@scheme", "http"), ("@path", "/a%20b"),
      ("@query", "?c=d&e"), ("@request-target", "/a%20b?c=d&e"), ("@authority", "a.example"), ("x-two", "1, 2"),
    ]
    #expect(
      try fixture.ask(try sign(lines) + "\nX-Two:  1 \nX-Two: 2", target: "/a%20b?c=d&e").consumer == "partner")
    #expect(try fixture.ask(try sign([("@method", "GET"), ("@query", "?")])).consumer == "partner")
    for other in ["@status", "@query-param", "x-none", "X-Two"] {
      #expect(
        try fixture.ask(try sign([("@method", "GET"), (other, "1")]) + "\nX-Two: 1").reason == "signature_component")
    }
  }

  @Test func `any change of what is signed is found`() throws {
    let fixture = try fixture("{ failures: 1000/min }")
    let lines = Self.get + [("x-a", "1")]
    let good = try sign(lines)
    for (target, method, field) in [("/b", "GET", "1"), ("/", "PUT", "1"), ("/", "GET", "2")] {
      let outcome = try fixture.ask(good + "\nX-A: \(field)", target: target, method: method)
      #expect(outcome.reason == "signature_wrong" && outcome.consumer == nil)
    }
    #expect(try fixture.ask(good + "\nX-A: 1\nX-A: 1").reason == "signature_wrong")
    #expect(try fixture.ask(try sign(Self.get, secret: "other")).reason == "signature_wrong")
    #expect(try fixture.ask(try sign(Self.get, keyID: "partner-2")).reason == "signature_wrong")
    #expect(try fixture.ask(good + "\nX-A: 1").consumer == "partner")
  }

  @Test func `what must be covered is, where the request has it`() throws {
    let fixture = try fixture("{ failures: 1000/min }")
    for left in Self.get {  // Each of them is needed.
      #expect(try fixture.ask(try sign(Self.get.filter { $0.0 != left.0 })).reason == "signature_uncovered")
    }
    #expect(try fixture.ask(try sign(Self.get), target: "/?a=b").reason == "signature_uncovered")
    let whole = [("@method", "GET"), ("@target-uri", "http://a.example/?a=b")]
    #expect(try fixture.ask(try sign(whole), target: "/?a=b").consumer == "partner")
    #expect(try post(try sign(Self.get), to: fixture, target: "/") == "signature_uncovered")
    #expect(try post(try signedPost(Self.sha256, drop: "content-digest"), to: fixture) == "signature_uncovered")
  }

  @Test func `the window is as wide as it says, on both sides`() throws {
    let fixture = try fixture("{ maximum_skew: 30s, failures: 1000/min }")
    for (created, reason) in [
      (-31, "signature_expired"), (-30, "proceed"), (30, "proceed"), (31, "signature_not_yet_valid"),
    ] {
      #expect(try fixture.ask(try sign(Self.get, created: Self.today + created)).reason == reason)
    }
    for (expires, reason) in [(0, "signature_expired"), (1, "proceed")] {
      #expect(try fixture.ask(try sign(Self.get, more: ";expires=\(Self.today + expires)")).reason == reason)
    }
    let timeless = try sign(Self.get).split(separator: "\n").joined(separator: "\n")
      .replacing(";created=\(Self.today)", with: "")
    #expect(try fixture.ask(timeless).reason == "signature_without_time")
  }

  @Test func `a signature is known for as long as it is good, and no more are taken than can be remembered`() throws {
    let fixture = try fixture("{ maximum_skew: 10s, remembered: 100 }")
    let future = try sign(Self.get, created: Self.today + 10)
    #expect(try fixture.ask(future).consumer == "partner")
    for _ in 0..<3 {
      fixture.worker.now += 7_000_000_000
      #expect(try fixture.ask(future).reason == "signature_replayed")
    }
    for number in 1..<100 {
      #expect(try fixture.ask(try sign(Self.get, more: ";nonce=\"\(number)\"")).consumer == "partner")
    }
    let full = try fixture.ask(try sign(Self.get, more: ";nonce=\"more\""))
    #expect(full.reason == "replay_window_full" && full.status == 503)
    fixture.worker.now += 50_000_000_000
    #expect(try fixture.ask(try sign(Self.get, more: ";nonce=\"more\"")).consumer == "partner")
  }

  @Test func `a body is what its digests say`() throws {
    let fixture = try fixture("{ failures: 1000/min }")
    let wrong = "sha-256=:" + String(repeating: "A", count: 43) + "=:"
    for (digest, expected) in [
      (Self.sha256, "partner"), (Self.sha512, "partner"), ("\(Self.sha256), \(Self.sha512)", "partner"),
      ("md5=:aaaa:, \(Self.sha256);x", "partner"), (wrong, "content_digest_wrong"),
      ("\(wrong), \(Self.sha512)", "content_digest_wrong"), ("md5=:aaaa:", "content_digest_missing"),
      ("sha-256=:aaaa:", "signature_malformed"), ("sha-256", "signature_malformed"), ("?", "signature_malformed"),
    ] {
      #expect(try post(try signedPost(digest), to: fixture) == expected, "\(digest)")
    }
    #expect(try post(try signedPost(Self.sha256, more: "\nX: 1"), Self.body + " ", to: fixture) != "partner")
    #expect(
      try post(try signedPost(Self.sha256, more: "\nContent-Encoding: gzip"), to: fixture) == "signed_body_is_coded")
    let empty = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"
    for (digest, reason) in [(empty, "proceed"), (Self.sha256, "content_digest_wrong")] {
      let signed = try sign(Self.get + [("content-digest", digest)])
      #expect(try fixture.ask(signed + "\nContent-Digest: \(digest)").reason == reason)
    }
  }

  @Test func `what is malformed is refused`() throws {
    let fixture = try fixture("{ failures: 1000/min }")
    let good = try sign(Self.get)
    let lines = good.split(separator: "\n").map(String.init)
    for wrong in [
      lines[0], lines[1], good.replacing("Signature: sig=", with: "Signature: other="), good + "\n" + lines[1],
      good.replacing("=:", with: "=:AAAA"), "Signature-Input: sig\nSignature: sig=:AAAA:",
      "Signature-Input: sig=(\"a\" \"a\")\nSignature: sig=:AAAA:", "Signature-Input: sig=(a)\nSignature: sig=:AAAA:",
      "Signature-Input: \nSignature: ", lines[0] + String(repeating: " ", count: 9000) + ",x\n" + lines[1],
      good.replacing(";keyid=\"partner-1\"", with: ";keyid=1"), good.replacing(";created=", with: ";created=1.5;x="),
    ] {
      #expect(try fixture.ask(wrong).reason == "signature_malformed", "\(wrong)")
    }
    #expect(try fixture.ask(try sign(Self.get, more: ";alg=\"rsa-v1_5-sha256\"")).reason == "signature_algorithm")
    #expect(try fixture.ask(try sign(Self.get, keyID: "nobody")).reason == "signature_unknown_key")
    #expect(try fixture.ask(good.replacing("\"@path\"", with: "\"@path\";req")).reason == "signature_component")
    #expect(try fixture.ask(try sign(Self.get, more: ";alg=\"hmac-sha256\"")).consumer == "partner")
  }

  @Test func `of several signatures the one of a known key and the right tag decides`() throws {
    let fixture = try fixture("{ tag: app, failures: 1000/min }")
    #expect(try fixture.ask(try sign(Self.get)).reason == "signature_tag")
    let first = try sign(Self.get, more: ";tag=\"else\"", label: "a").split(separator: "\n")
    let second = try sign(Self.get, more: ";tag=\"app\"", label: "b").split(separator: "\n")
    #expect(try fixture.ask((first + second).joined(separator: "\n")).consumer == "partner")
  }

  @Test func `an address that fails too often waits`() throws {
    let fixture = try fixture("{ failures: 2/min }")
    for _ in 0..<2 { #expect(try fixture.ask(try sign(Self.get, secret: "x")).status == 401) }
    #expect(try fixture.ask(try sign(Self.get)).status == 429)
  }

  @Test func `any_of checks the body of the member that let the request pass`() throws {
    let fixture = try IdentityFixture("any_of: [basic: {}, hmac: {}]", consumers: Self.consumers)
    #expect(try post(try signedPost(Self.sha256), to: fixture) == "partner")
    let wrong = "sha-256=:" + String(repeating: "A", count: 43) + "=:"
    #expect(try post(try signedPost(wrong), to: fixture) == "content_digest_wrong")
  }

  @Test(arguments: [
    ("hmac: { components: [Date] }", "is no component"), ("hmac: { components: [\"@status\"] }", "is no component"),
  ])
  func `mistakes are found when the configuration is loaded`(plugins: String, message: String) {
    let text = IdentityFixture.load(IdentityFixture.configuration(plugins)).diagnostics.text
    #expect(text.contains(message), "\(text)")
  }

  @Test(arguments: [
    ("{ a: { hmac: { key_id: x } } }", "`secret` is missing"),
    ("{ a: { hmac: { key_id: x, secret: '${PASSWORD}', encoding: base64 } } }", "not in base64"),
    (
      "{ a: { hmac: { key_id: x, secret: '${PASSWORD}' } }, b: { hmac: { key_id: x, secret: '${SECRET}' } } }",
      "have the same `hmac` key_id"
    ),
  ])
  func `mistakes of consumers are found when the configuration is loaded`(consumers: String, message: String) {
    let text = IdentityFixture.load(IdentityFixture.configuration("hmac: {}", consumers: consumers)).diagnostics.text
    #expect(text.contains(message), "\(text)")
  }
}
