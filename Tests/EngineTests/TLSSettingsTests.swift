import Configuration
import Foreign
import GatewayTesting
import Testing

@testable import Engine

/// What `check` says of certificates: each mistake with its line and what to do about it.
@Suite struct TLSSettingsTests {
  private static let made = Result { try CertificateAuthority() }

  /// What is said of a listener with this `tls` section, which stands on line 4.
  private func said(_ tls: String, protocols: String = "[h2, http/1.1]") -> LoadedSettings {
    let text = """
      listeners:
        secure:
          address: 127.0.0.1:8443
          tls: \(tls)
          protocols: \(protocols)
      routes: { all: { match: /*, respond: 200 } }
      call_log: off
      """
    let files = ConfigurationFiles(
      read: { path, limit in
        path == "gateway.conf" ? .success(Array(text.utf8)) : ConfigurationFiles.disk.read(path, limit)
      }, matching: { _ in [] })
    return GatewaySettings.load(file: "gateway.conf", environment: Environment([:]), files: files)
  }

  private func pair(_ files: CertificateAuthority.Files, key: String? = nil) -> String {
    "{ certificates: [{ certificate: \"\(files.certificate)\", private_key: \"\(key ?? files.key)\" }] }"
  }

  @Test func `a good certificate is taken without a word`() throws {
    let loaded = said(pair(try Self.made.get().issue(names: ["DNS:a.example"])))
    #expect(loaded.diagnostics.text == "")
    let listener = try #require(loaded.settings?.listeners.first)
    #expect(listener.tls?.certificates.first?.identity?.certificate.hosts == ["a.example"])
    #expect(listener.protocols == [.h2, .http1])
    #expect(listener.negotiable == ["h2", "http/1.1"])
  }

  @Test(arguments: [
    (-40 ... -1, "has expired"), (3...90, "is not valid yet"), (-1...12, "expires in 1"),
  ])
  func `the time of a certificate is a warning`(days: ClosedRange<Int>, message: String) throws {
    let loaded = said(pair(try Self.made.get().issue(names: ["DNS:a.example"], days: days)))
    #expect(loaded.settings != nil)
    let first = try #require(loaded.diagnostics.sorted.first)
    #expect(first.message.contains(message))
    #expect(first.position.line == 4)
  }

  @Test func `a key of another certificate is an error at the key`() throws {
    let authority = try Self.made.get()
    let one = try authority.issue(names: ["DNS:a.example"])
    let other = try authority.issue(names: ["DNS:a.example"])
    let loaded = said(pair(one, key: other.key))
    #expect(loaded.settings == nil)
    let first = try #require(loaded.diagnostics.sorted.first)
    #expect(first.message.contains("the key is not that of the certificate"))
    #expect(first.expected?.contains("requested with") == true)
  }

  @Test func `files that are missing or hold something else are errors`() throws {
    let good = try Self.made.get().issue(names: ["DNS:a.example"])
    let directory = try TemporaryDirectory()
    try directory.write("no PEM at all\n", to: "text.pem")
    try directory.write("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", to: "damaged.pem")
    let cases: [(String, String)] = [
      (pair(.init(certificate: "gone.pem", key: good.key)), "cannot read gone.pem: No such file or directory"),
      (pair(.init(certificate: directory["text.pem"], key: good.key)), "is no certificate: it holds no certificate"),
      (pair(.init(certificate: directory["damaged.pem"], key: good.key)), "is no certificate"),
      (pair(good, key: directory["text.pem"]), "is no private key"),
    ]
    for (tls, message) in cases {
      let loaded = said(tls)
      #expect(loaded.settings == nil)
      #expect(loaded.diagnostics.text.contains(message), "\(loaded.diagnostics.text)")
    }
  }

  @Test func `clients' certificates need an authority, and h2 needs TLS`() throws {
    let good = try Self.made.get().issue(names: ["DNS:a.example"])
    let list = pair(good).dropLast(2)
    #expect(said("\(list), client_certificates: required }").diagnostics.text.contains("without an authority"))
    let authority = "client_authority: \"\(try Self.made.get().certificate)\""
    #expect(said("\(list), \(authority) }").diagnostics.text.contains("no client is asked"))
    #expect(said("\(list), \(authority), client_certificates: optional }").diagnostics.text == "")
    #expect(
      SettingsFixture.load(text: "listeners: { a: { address: 127.0.0.1:80, protocols: h2 } }")
        .diagnostics.text.contains("`h2` is spoken over TLS only"))
  }

  @Test func `a renewed certificate is another setting, the same one is not`() throws {
    let authority = try Self.made.get()
    let one = try authority.issue(names: ["DNS:a.example"])
    let first = said(pair(one)).settings?.listeners
    #expect(first == said(pair(one)).settings?.listeners)
    let other = try authority.issue(names: ["DNS:a.example"])
    #expect(Shell.run("cp \(other.certificate) \(one.certificate) && cp \(other.key) \(one.key)") == 0)
    #expect(first != said(pair(one)).settings?.listeners)
  }

  @Test func `https targets are told from others, and their own default port is 443`() {
    let settings = SettingsFixture.settings(
      """
      upstreams: { a: { targets: ["https://a.example", "https://b.example:8443"] } }
      routes: { all: { match: /*, upstream: a } }
      """)
    #expect(settings?.upstreams.first?.targets.map(\.isSecure) == [true, true])
    #expect(settings?.upstreams.first?.targets.map(\.name) == ["a.example:443", "b.example:8443"])
    let text = "upstreams: { a: { targets: \"http://a.example\", tls: { verify: false } } }"
    #expect(SettingsFixture.load(text: text).diagnostics.text.contains("means nothing without a target with https://"))
  }
}
