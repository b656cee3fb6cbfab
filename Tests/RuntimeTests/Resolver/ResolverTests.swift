import Foreign
import GatewayTesting
import Kernel
import Testing

@Suite struct ResolverTests {
  @Test(arguments: ["127.0.0.1", "::1", "2001:db8::7", "::ffff:10.0.0.1"])
  func `a literal is answered at once and for ever`(text: String) throws {
    let resolver = try Resolver(servers: ["127.0.0.1:9"])
    resolver.start(text)
    let expected = ResolvedAddresses(addresses: [try #require(IPAddress(text))], ttl: nil)
    #expect(resolver.nextAnswer() == ResolverAnswer(host: text, result: .success(expected)))
    #expect(resolver.nextAnswer() == nil)
    #expect(resolver.nextInterest() == nil)
    #expect(resolver.timeout == nil)
  }

  @Test func `a name of the hosts file is answered without a server`() throws {
    let resolver = try Resolver(servers: ["127.0.0.1:9"])
    resolver.start("localhost")
    guard case .success(let found) = resolver.nextAnswer()?.result else {
      Issue.record("localhost has no address")
      return
    }
    #expect(found.addresses.allSatisfy { $0.isLoopback } && !found.addresses.isEmpty)
    #expect(resolver.timeout == nil)
  }

  @Test(arguments: [
    "", "a\u{0}b", String(repeating: "a", count: 300), "a..b", String(repeating: "a", count: 64) + ".test",
  ])
  func `what is no name is refused without a question`(text: String) throws {
    let resolver = try Resolver(servers: ["127.0.0.1:9"], timeout: 50_000_000, tries: 1)
    #expect(try ResolverDriver.look(text, with: resolver) == .failure(.badName))
  }

  @Test func `a server that is not there is a failure`() throws {
    let resolver = try Resolver(servers: ["127.0.0.1:1"], timeout: 50_000_000, tries: 1)
    guard case .failure(let failure) = try ResolverDriver.look("a.test.", with: resolver) else {
      Issue.record("nobody answered")
      return
    }
    #expect(failure == .serversFailed || failure == .timeout)
  }

  @Test(arguments: [
    "", "localhost", "127.0.0.1:0", "127.0.0.1:70000", "127.0.0.1:", "::1:53x", "[::1", "[127.0.0.1]:53",
    "1.2.3.4,5.6.7.8",
  ])
  func `a server must be an address`(text: String) {
    #expect(throws: ResolverError.badServer(text)) { _ = try Resolver(servers: ["127.0.0.1", text]) }
  }

  @Test(arguments: ["127.0.0.1", "127.0.0.1:5353", "::1", "[::1]:5353"])
  func `a server is an address with or without a port`(text: String) throws {
    _ = try Resolver(servers: [text])
  }
}

@Suite(.enabled(if: NameServer.isInstalled, Comment(rawValue: NameServer.hint)))
struct ResolverServerTests {
  @Test func `both families come with the least TTL`() throws {
    let server = try NameServer(records: ["both.test,127.0.0.2,::2,37", "four.test,127.0.0.4,41", "six.test,::6,43"])
    defer { server.stop() }
    let resolver = try Resolver(servers: [server.address])
    let both = try ResolverDriver.look("both.test", with: resolver)?.get()
    #expect(both.map { Set($0.addresses) } == ResolverDriver.addresses("127.0.0.2", "::2"))
    #expect(both?.ttl == 37)
    let four = try ResolverDriver.look("FOUR.test", with: resolver)
    #expect(four == .success(ResolvedAddresses(addresses: [try #require(IPAddress("127.0.0.4"))], ttl: 41)))
    let six = try ResolverDriver.look("six.test", with: resolver)
    #expect(six == .success(ResolvedAddresses(addresses: [try #require(IPAddress("::6"))], ttl: 43)))
  }

  @Test func `all addresses of a name come`() throws {
    let hosts = (1...200).map { "127.0.1.\($0) many.test" }
    let server = try NameServer(hosts: hosts)
    defer { server.stop() }
    let resolver = try Resolver(servers: [server.address])
    let found = try ResolverDriver.look("many.test", with: resolver)?.get()
    #expect(Set(found?.addresses ?? []).count == 200)
    #expect(found?.ttl == 7)
  }

  @Test func `many look-ups at once each get their own answer`() throws {
    let server = try NameServer(hosts: (1...100).map { "127.0.2.\($0) h\($0).test" })
    defer { server.stop() }
    let resolver = try Resolver(servers: [server.address])
    for index in 1...100 { resolver.start("h\(index).test") }
    let answers = try ResolverDriver.answers(100, from: resolver)
    #expect(answers.count == 100)
    for answer in answers {
      let found = try answer.result.get()
      #expect(found.addresses.map(\.description) == ["127.0.2.\(answer.host.dropFirst().prefix { $0 != "." })"])
    }
  }

  @Test func `a name that does not exist is not found`() throws {
    let server = try NameServer()
    defer { server.stop() }
    let resolver = try Resolver(servers: [server.address])
    #expect(try ResolverDriver.look("nobody.test.", with: resolver) == .failure(.notFound))
  }

  @Test func `servers that all refuse are a failure`() throws {
    let server = try NameServer()
    defer { server.stop() }
    let resolver = try Resolver(servers: [server.address])
    #expect(try ResolverDriver.look("elsewhere.example.", with: resolver) == .failure(.serversFailed))
  }

  @Test func `an answer that changes is seen by the next look-up`() throws {
    let server = try NameServer(hosts: ["127.0.0.2 moving.test"])
    defer { server.stop() }
    let resolver = try Resolver(servers: [server.address])
    #expect(try ResolverDriver.look("moving.test", with: resolver)?.get().addresses.map(\.description) == ["127.0.0.2"])
    try server.replaceHosts(["127.0.0.3 moving.test"])
    var found: [String]?
    for _ in 0..<100 where found != ["127.0.0.3"] {
      found = try ResolverDriver.look("moving.test", with: resolver)?.get().addresses.map(\.description)
    }
    #expect(found == ["127.0.0.3"])
  }

  @Test func `a server that does not answer times out`() throws {
    let server = try NameServer(hosts: ["127.0.0.2 a.test"])
    defer { server.stop() }
    server.freeze()
    let resolver = try Resolver(servers: [server.address], timeout: 50_000_000, tries: 2)
    resolver.start("a.test.")
    let timeout = try #require(resolver.timeout)
    #expect(timeout <= 50_000_000)
    #expect(try ResolverDriver.answers(1, from: resolver).map(\.result) == [.failure(.timeout)])
    #expect(resolver.timeout == nil)
  }

  @Test func `a second server is asked when the first is silent`() throws {
    let silent = try NameServer()
    defer { silent.stop() }
    silent.freeze()
    let server = try NameServer(hosts: ["127.0.0.2 a.test"])
    defer { server.stop() }
    let resolver = try Resolver(servers: [silent.address, server.address], timeout: 50_000_000, tries: 2)
    #expect(try ResolverDriver.look("a.test.", with: resolver)?.get().addresses.map(\.description) == ["127.0.0.2"])
  }

  @Test func `look-ups that are cancelled say so, and a resolver can go with look-ups under way`() throws {
    let server = try NameServer()
    defer { server.stop() }
    server.freeze()
    var resolver: Resolver? = try Resolver(servers: [server.address])
    resolver?.start("a.test.")
    resolver?.start("b.test.")
    resolver?.cancel()
    let results = (0..<3).map { _ in resolver?.nextAnswer()?.result }
    #expect(results == [.failure(.cancelled), .failure(.cancelled), nil])
    resolver?.start("c.test.")
    resolver = nil
  }
}
