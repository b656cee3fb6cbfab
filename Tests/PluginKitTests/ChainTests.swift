import Configuration
import PluginKit
import Testing

@Suite struct ChainTests {
  @Test func `requests pass in the order written and responses in reverse`() async {
    let journal = Journal()
    let chain = Chain([Probe("a", journal), Slow("b", journal), Probe("c", journal)])
    var exchange = Exchange()
    _ = await chain.runRequestHead(&exchange)
    chain.runResponseHead(&exchange)
    #expect(journal.entries == ["a request", "b request", "c request", "c response", "a response"])
  }

  @Test func `the first hook that decides ends the request's way`() async {
    let journal = Journal()
    let chain = Chain([Probe("a", journal), Slow("b", journal, .fail(.noTarget)), Probe("c", journal)])
    var exchange = Exchange()
    guard case .fail(let fault) = await chain.runRequestHead(&exchange) else {
      Issue.record("the second hook fails")
      return
    }
    #expect(fault.reason.description == "no_healthy_target")
    #expect(journal.entries == ["a request", "b request"])
  }

  @Test func `a chain without waiting hooks runs at once`() {
    let journal = Journal()
    let chain = Chain([Probe("a", journal), Probe("b", journal, .respond), Probe("c", journal)])
    var exchange = Exchange()
    guard case .respond = chain.runRequestHeadAtOnce(&exchange) else {
      Issue.record("the second hook responds")
      return
    }
    #expect(!chain.waits)
    #expect(journal.entries == ["a request", "b request"])
  }

  @Test func `a plugin has the hooks that it conforms to and no others`() {
    let journal = Journal()
    #expect(Chain([Slow("a", journal)]).waits)
    #expect(Chain([Slow("a", journal)]).responseHead.isEmpty)
    #expect(Chain([Last(), Last()]).log.count == 2)
    #expect(Chain([Last()]).requestHead.isEmpty)
    #expect(Chain([]).requestHead.isEmpty && Chain([]).responseHead.isEmpty && Chain([]).log.isEmpty)
  }

  @Test func `a definition makes instances from what its section read`() {
    let definition = PluginDefinition(Last.self)
    #expect(definition.name == "last")
    #expect(definition.instance(Nothing(), Standstill()) is Last)
  }
}

private final class Journal {
  var entries: [String] = []
}

private struct Nothing: Sendable {}

private final class Standstill: WorkerServices, HTTPClient {
  let now = 0
  var client: any HTTPClient { self }
  func after(_ nanoseconds: Int, _ action: @escaping () -> Void) {}
  func start(_ body: @escaping () async -> Void) {}
  func sleep(_ nanoseconds: Int) async throws(CancellationError) {}
  func counter(_ metric: PluginMetric, _ labels: [String]) -> PluginCounter { PluginCounter() }
  func store(_ name: String) -> (any SharedStore)? { nil }
  func send(_ request: ClientRequest) async throws(Fault) -> ClientResponse { throw .unknownUpstream }
}

private class Named {
  let name: String
  let journal: Journal
  let verdict: Verdict

  init(_ name: String, _ journal: Journal, _ verdict: Verdict = .proceed) {
    self.name = name
    self.journal = journal
    self.verdict = verdict
  }

  static let section = Section("named", Nothing(), "Writes down when it is called.", [])
}

private final class Probe: Named, Plugin, RequestHeadHook, ResponseHeadHook {
  override init(_ name: String, _ journal: Journal, _ verdict: Verdict = .proceed) {
    super.init(name, journal, verdict)
  }

  init(_ settings: Nothing, _ services: any WorkerServices) { super.init("", Journal()) }

  func onRequestHead(_ exchange: inout Exchange) -> Verdict {
    journal.entries.append("\(name) request")
    return verdict
  }

  func onResponseHead(_ exchange: inout Exchange) { journal.entries.append("\(name) response") }
}

private final class Slow: Named, Plugin, AsyncRequestHeadHook {
  override init(_ name: String, _ journal: Journal, _ verdict: Verdict = .proceed) {
    super.init(name, journal, verdict)
  }

  init(_ settings: Nothing, _ services: any WorkerServices) { super.init("", Journal()) }

  func onRequestHead(_ exchange: inout Exchange) async -> Verdict {
    await Task.yield()
    journal.entries.append("\(name) request")
    return verdict
  }
}

private final class Last: Plugin, LogHook {
  static let section = Section("last", Nothing(), "Sees the end.", [])

  init() {}
  init(_ settings: Nothing, _ services: any WorkerServices) {}
  func onEnd(_ exchange: inout Exchange) {}
}
