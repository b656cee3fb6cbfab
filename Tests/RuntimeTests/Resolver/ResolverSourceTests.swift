import Foreign
import GatewayTesting
import Kernel
import Runtime
import Testing

@Suite(.enabled(if: NameServer.isInstalled, Comment(rawValue: NameServer.hint)))
struct ResolverSourceTests {
  /// What came of look-ups, by host.
  private typealias Answers = Lock<[String: [String]]>

  private func source(_ server: NameServer, on loop: Loop, into answers: Answers) throws -> ResolverSource {
    let resolver = try Resolver(servers: [server.address], timeout: 100_000_000, tries: 2)
    return try ResolverSource(resolver, on: loop) { answer in
      let text: [String] =
        switch answer.result {
        case .success(let found): found.addresses.map(\.description).sorted()
        case .failure(let failure): [failure.rawValue]
        }
      answers.withLock { $0[answer.host] = text }
    }
  }

  @Test func `a running loop drives it, timeouts included`() throws {
    let server = try NameServer(hosts: ["127.0.0.2 a.test", "127.0.0.3 a.test", "::5 b.test"])
    defer { server.stop() }
    let silent = try NameServer()
    defer { silent.stop() }
    silent.freeze()
    let loop = try Loop()
    let answers = Answers([:])
    let source = try source(server, on: loop, into: answers)
    let patient = try self.source(silent, on: loop, into: answers)
    let end = Timer(loop) { loop.stop() }
    end.arm(after: 20_000_000_000)
    loop.beforeWait = { if answers.withLock({ $0.count }) == 4 { loop.stop() } }
    for name in ["a.test", "b.test", "nobody.test."] { source.start(name) }
    patient.start("late.test.")
    loop.run()
    #expect(
      answers.withLock { $0 } == [
        "a.test": ["127.0.0.2", "127.0.0.3"], "b.test": ["::5"], "nobody.test.": ["not_found"],
        "late.test.": ["timeout"],
      ])
  }

  @Test func `it can be waited for before the loop runs`() throws {
    let server = try NameServer(hosts: (1...50).map { "127.0.2.\($0) h\($0).test" })
    defer { server.stop() }
    let loop = try Loop()
    let answers = Answers([:])
    let source = try source(server, on: loop, into: answers)
    for index in 1...50 { source.start("h\(index).test") }
    source.wait(atMost: 20_000_000_000) { answers.withLock { $0.count } == 50 }
    #expect(answers.withLock { $0["h50.test"] } == ["127.0.2.50"])
  }

  @Test func `waiting ends when its time is over, and look-ups go on`() throws {
    let server = try NameServer(hosts: ["127.0.0.2 a.test"])
    defer { server.stop() }
    server.freeze()
    let loop = try Loop()
    let answers = Answers([:])
    let source = try source(server, on: loop, into: answers)
    source.start("a.test")
    source.wait(atMost: 20_000_000) { answers.withLock { !$0.isEmpty } }
    #expect(answers.withLock { $0.isEmpty })
    server.thaw()
    source.wait(atMost: 20_000_000_000) { answers.withLock { !$0.isEmpty } }
    #expect(answers.withLock { $0 } == ["a.test": ["127.0.0.2"]])
  }

  @Test func `once finished it says nothing more`() throws {
    let server = try NameServer()
    defer { server.stop() }
    server.freeze()
    let loop = try Loop()
    let answers = Answers([:])
    let source = try source(server, on: loop, into: answers)
    source.start("a.test.")
    source.finish()
    source.start("127.0.0.1")
    #expect(answers.withLock { $0.isEmpty })
  }
}
