import GatewayTesting
import Testing

/// Callers by token and by certificate over TLS, with the rules of one set of plugins.
struct StaffTests {
  private static let script = String(#filePath.prefix(upTo: #filePath.lastIndex(of: "/")!)) + "/token.sh"

  private func token(_ claims: String, in directory: borrowing TemporaryDirectory) throws -> String {
    let made = try TLSFixture.run("\(Self.script) '\(directory["."])' '\(claims)'")
    #expect(made.status == 0, "\(made.output)")
    return made.output
  }

  private func configuration(_ directory: borrowing TemporaryDirectory) -> String {
    """
    consumers:
      support-portal: { groups: [staff], jwt: { azp: support-portal } }
      batch-import: { client_certificate: { san: "dns:batch.internal" } }
    plugin_sets:
      known:
        - any_of:
            - jwt:
                issuer: https://id.example.com
                audience: feedback
                algorithms: [RS256, ES256, EdDSA]
                jwks: { file: "\(directory["jwks.json"])" }
                clock_skew: 30s
                groups: jwt.groups
                forward: { X-User-Id: jwt.sub }
            - client_certificate: {}
      staff:
        - authorize: { any_of: [{ scopes: ["feedback:read"] }, { groups: [staff] }] }
        - rate_limit: { rate: 1000/min, burst: 200, key: jwt.sub }
    routes:
      read: { match: GET /v2/feedback, plugins: [{ use: known }, { use: staff }], upstream: ORIGIN }
      import: { match: GET /import, plugins: [{ use: known }, authorize: { consumers: [batch-import] }], upstream: ORIGIN }
    """
  }

  @Test func `tokens and certificates over TLS are consumers, each with what it may do`() throws {
    let files = try TLSFixture.files
    let directory = try TemporaryDirectory()
    let scoped = try token(#""sub":"ada","azp":"other","scope":"feedback:read profile""#, in: directory)
    let portal = try token(#""sub":"bob","azp":"support-portal""#, in: directory)
    let grouped = try token(#""sub":"eve","groups":["staff"]"#, in: directory)
    let stranger = try token(#""sub":"mal","azp":"other","scope":"profile""#, in: directory)
    let certificate = "--cert \(files.client.certificate) --key \(files.client.key)"
    let plan = TLSFixture.plan(
      [files.localhost], "client_authority: \"\(files.authority.certificate)\", client_certificates: optional")
    let origin = try Origin.ok("fine")
    try withGateway(configuration(directory), to: origin, plan) { gateway in
      func call(_ path: String, _ more: String) throws -> String {
        try TLSFixture.curl(gateway, "-o /dev/null -D - \(more)", path: path)
      }
      for token in [scoped, portal, grouped] {
        let answer = try call("/v2/feedback", "-H 'X-User-Id: root' -H 'Authorization: Bearer \(token)'")
        #expect(answer.hasSuffix("200"), "\(answer)")
      }
      #expect(origin.requests.map { $0["X-User-Id"] } == ["ada", "bob", "eve"])
      let refused = try call("/v2/feedback", "-H 'Authorization: Bearer \(stranger)'")
      #expect(refused.hasSuffix("403") && refused.contains(#"error="insufficient_scope", scope="feedback:read""#))
      let outside = try call("/v2/feedback", "")
      #expect(outside.hasSuffix("401") && outside.lowercased().contains("www-authenticate: bearer realm="))
      let forged = try call("/v2/feedback", "\(certificate) -H 'Authorization: Bearer \(scoped.dropLast(9))AAAAAAAAA'")
      #expect(forged.hasSuffix("401"))
      let imported = try call("/import", certificate)
      #expect(imported.hasSuffix("200"), "\(imported)")
      let ungrouped = try call("/v2/feedback", certificate)
      #expect(ungrouped.hasSuffix("403") && !ungrouped.lowercased().contains("www-authenticate"))
      let records = try gateway.awaitRecords(8)
      #expect(
        records.map { $0["consumer"]?.string }
          == [nil, "support-portal", nil, nil, nil, nil, "batch-import", "batch-import"])
      #expect(
        records.map { $0["reason"]?.string }
          == [nil, nil, nil, "no_rule_holds", "no_credentials", "token_signature", nil, "no_rule_holds"])
    }
  }

  @Test func `a key in the query does not show in the call log, whether it is good or not`() throws {
    let text = """
      consumers:
        widget: { api_keys: ["sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"] }
      plugins: [api_key: { query: key }]
      routes: { all: { match: /*, upstream: ORIGIN } }
      """
    try withGateway(text, to: try Origin.ok("fine")) { gateway in
      for key in ["secret", "wrong"] {
        let client = try gateway.connect()
        try client.send("GET /a?b=1&key=\(key)&c=2 HTTP/1.1\r\nHost: a.example\r\n\r\n")
        #expect(try client.response().status == (key == "secret" ? 200 : 401))
      }
      #expect(try gateway.awaitRecords(2).map { $0["query"]?.string } == ["b=1&key=…&c=2", "b=1&key=…&c=2"])
    }
  }
}
