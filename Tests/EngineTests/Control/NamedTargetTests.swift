import GatewayTesting
import Kernel
import Testing

/// Targets with names, with the built program and a real DNS server.
@Suite(.enabled(if: NameServer.isInstalled, Comment(rawValue: NameServer.hint)))
struct NamedTargetTests {
  private func text(_ server: NameServer, _ targets: String...) -> String {
    let list = targets.map { "{ url: \"http://\($0)\" }" }.joined(separator: ", ")
    return """
      resolver: { servers: ["\(server.address)"], timeout: 200ms, attempts: 1 }
      upstreams: { u: { targets: [\(list)] } }
      routes: { all: { match: /*, upstream: u } }
      """
  }

  /// An origin on a loopback address, for the same port on each.
  private func origin(_ address: String, port: Int) throws -> Origin {
    try Origin(on: .ip(try #require(IPAddress(address)), port: UInt16(port))) { connection in
      while try connection.request() != nil { try connection.answer(body: address) }
    }
  }

  @Test func `the first request already finds the addresses`() throws {
    let server = try NameServer(hosts: ["127.0.0.2 a.test", "127.0.0.3 a.test"])
    defer { server.stop() }
    let port = Ports.free()
    let origins = [try origin("127.0.0.2", port: port), try origin("127.0.0.3", port: port)]
    defer { for origin in origins { origin.stop() } }
    try withGateway(text(server, "a.test:\(port)")) { gateway in
      let client = try gateway.connect()
      let answers = try (1...6).map { _ in try client.get("/").text }
      #expect(answers.filter { $0 == "127.0.0.2" }.count == 3)
      #expect(answers.filter { $0 == "127.0.0.3" }.count == 3)
    }
  }

  @Test func `a target that listens on IPv4 alone works although its name has an IPv6 address too`() throws {
    let server = try NameServer(records: ["both.test,127.0.0.1,::1"])
    defer { server.stop() }
    let origin = try Origin.ok()
    defer { origin.stop() }
    try withGateway(text(server, "both.test:\(origin.port)")) { gateway in
      let client = try gateway.connect()
      for _ in 1...8 { #expect(try client.get("/").status == 200) }
      let records = try gateway.awaitRecords(8)
      // Only the call that found it out went to both.
      let attempts = records.compactMap { $0["attempts"]?.integer }
      #expect(attempts.filter { $0 == 2 }.count == 1 && attempts.filter { $0 == 1 }.count == 7)
      #expect(gateway.errors.contains("target is out"))
      #expect(!gateway.errors.contains("target is back"))
    }
  }

  @Test func `a name without an address is a 502, and works once it has one`() throws {
    let server = try NameServer(hosts: ["127.0.0.1 other.test"])
    defer { server.stop() }
    let origin = try Origin.ok()
    defer { origin.stop() }
    try withGateway(text(server, "late.test:\(origin.port)")) { gateway in
      let client = try gateway.connect()
      let refused = try client.get("/")
      #expect(refused.status == 502)
      #expect(refused.text.contains("name_unresolved"))
      #expect(gateway.errors.contains("a target's name cannot be resolved"))
      try server.replaceHosts(["127.0.0.1 late.test"])
      let works = try Deadline.usual.poll { try client.get("/").status == 200 }
      #expect(works)
      #expect(gateway.errors.contains("a target's name has other addresses"))
    }
  }

  @Test func `addresses come and go with the answers, and no call fails`() throws {
    let server = try NameServer(hosts: ["127.0.0.2 a.test"], ttl: 0)
    defer { server.stop() }
    let port = Ports.free()
    let origins = [try origin("127.0.0.2", port: port), try origin("127.0.0.3", port: port)]
    defer { for origin in origins { origin.stop() } }
    try withGateway(text(server, "a.test:\(port)")) { gateway in
      let client = try gateway.connect()
      var statuses: Set<Int> = []
      func eventually(_ wanted: Set<String>) throws -> Bool {
        try Deadline.usual.poll {
          let answers = try (1...4).map { _ in try client.get("/") }
          statuses.formUnion(answers.map(\.status))
          return Set(answers.map(\.text)) == wanted
        }
      }
      #expect(try eventually(["127.0.0.2"]))
      try server.replaceHosts(["127.0.0.2 a.test", "127.0.0.3 a.test"])
      #expect(try eventually(["127.0.0.2", "127.0.0.3"]))
      try server.replaceHosts(["127.0.0.3 a.test"])
      #expect(try eventually(["127.0.0.3"]))
      #expect(statuses == [200])
      // The connection to the address that is gone does not rest for ever.
      #expect(origins[0].awaitNoConnection())
    }
  }
}
