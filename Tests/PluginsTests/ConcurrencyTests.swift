import HTTP
import Kernel
import PluginKit
import Synchronization
import Testing

@testable import Plugins

@Suite struct ConcurrencyTests {
  private let definitions = [PluginDefinition(Concurrency.self)]
  private let worker = StillWorker()

  private func enter(_ chain: Chain, _ fixture: inout ExchangeFixture) -> Fault? {
    if case .fail(let fault) = chain.runRequestHeadAtOnce(&fixture.exchange) { return fault }
    return nil
  }

  private func isAdmitted(_ chain: Chain, _ fixture: inout ExchangeFixture) -> Bool { enter(chain, &fixture) == nil }

  private func end(_ chain: Chain, _ fixture: inout ExchangeFixture) {
    for hook in chain.log { hook.onEnd(&fixture.exchange) }
  }

  private func fixture(_ client: UInt32 = 1) throws -> ExchangeFixture {
    var fixture = try ExchangeFixture()
    fixture.exchange.client = IPAddress(v4: client)
    return fixture
  }

  @Test func `so many pass at the same moment, and one more when one has ended`() throws {
    let chain = try PluginFixture.chain("concurrency: 2", of: definitions, on: worker)
    var one = try fixture()
    var two = try fixture()
    var three = try fixture()
    #expect(isAdmitted(chain, &one))
    #expect(isAdmitted(chain, &two))
    let refusal = enter(chain, &three)
    let fault = try #require(refusal)
    #expect(fault.status == 429 && fault.origin == .policy && fault.retryAfter == 1)
    #expect(fault.reason.description == "too_many_at_once")
    // One that was refused holds nothing that its end could release.
    end(chain, &three)
    #expect(worker.counted("sluice_concurrency_under_way") == ["[\"2\"]": 2])
    var four = try fixture()
    #expect(!isAdmitted(chain, &four))
    end(chain, &one)
    var five = try fixture()
    #expect(isAdmitted(chain, &five))
    end(chain, &two)
    end(chain, &five)
    #expect(worker.counted("sluice_concurrency_under_way") == [:])
    #expect(
      worker.counted("sluice_concurrency_decisions") == ["[\"2\", \"admitted\"]": 3, "[\"2\", \"refused\"]": 2])
  }

  @Test func `keys count apart`() throws {
    let chain = try PluginFixture.chain("concurrency: { maximum: 1, key: ip }", of: definitions, on: worker)
    var one = try fixture(1)
    var two = try fixture(2)
    var three = try fixture(1)
    #expect(isAdmitted(chain, &one))
    #expect(isAdmitted(chain, &two))
    #expect(!isAdmitted(chain, &three))
  }

  @Test func `shadow mode counts and refuses nothing`() throws {
    let chain = try PluginFixture.chain(
      "concurrency: { maximum: 1, shadow: true, name: new }", of: definitions, on: worker)
    var one = try fixture()
    var two = try fixture()
    #expect(isAdmitted(chain, &one))
    #expect(isAdmitted(chain, &two))
    end(chain, &one)
    end(chain, &two)
    #expect(
      worker.counted("sluice_concurrency_decisions") == [
        "[\"new\", \"admitted\"]": 1, "[\"new\", \"shadowed\"]": 1,
      ])
  }

  @Test func `the workers count together`() throws {
    let workers = (0..<4).map { _ in StillWorker() }
    let chains = try PluginFixture.chains("concurrency: 3", of: definitions, on: workers)
    var admitted = 0
    for chain in chains {
      var one = try fixture()
      if enter(chain, &one) == nil { admitted += 1 }
    }
    #expect(admitted == 3)
  }

  @Test(arguments: [
    ("{}", "`maximum` is missing"), ("0", "out of range"), ("70000", "out of range"),
    ("{ maximum: 1, key: nobody }", "is no value of the request"),
  ])
  func `a mistake is found when the configuration is loaded`(entry: String, message: String) {
    let text = PluginFixture.mistakes(Concurrency.self, "concurrency: \(entry)")
    #expect(text.contains(message), "\(text)")
  }

  @Test func `the example of its page loads and limits`() throws {
    let chain = try PluginFixture.chain(
      ofFile: try Page("plugins/concurrency.md").example("yaml"), of: definitions, on: worker)
    for _ in 0..<20 {
      var one = try fixture()
      #expect(isAdmitted(chain, &one))
    }
    var beyond = try fixture()
    #expect(!isAdmitted(chain, &beyond))
    #expect(chain.log.count == 1)
  }
}

@Suite struct CountTableTests {
  @Test func `a set takes eight keys, and a ninth when one is done`() throws {
    let table = try CountTable(keys: 1)
    var places: [Int] = []
    for key in 1...8 as ClosedRange<UInt64> {
      guard case .entered(let place) = table.enter(key << 16, maximum: 2) else {
        Issue.record("there is room")
        return
      }
      places.append(place)
    }
    #expect(Set(places).count == 8)
    #expect(table.enter(9 << 16, maximum: 2) == .full)
    #expect(table.enter(3 << 16, maximum: 2) == .entered(places[2]))
    #expect(table.enter(3 << 16, maximum: 2) == .refused)
    table.leave(places[4])
    #expect(table.enter(9 << 16, maximum: 2) == .entered(places[4]))
  }

  @Test func `threads never hold more than the maximum, and give all of it back`() throws {
    let table = try CountTable(keys: 1)
    let held = Atomic(0)
    let most = Atomic(0)
    var threads: [Thread] = []
    for _ in 0..<4 {
      threads.append(
        try Thread.start(name: "holder") {
          for round in 0..<20_000 as Range<UInt64> {
            // Other keys come and go in the same set.
            let other = table.enter((round % 5 + 2) << 16, maximum: 9)
            if case .entered(let place) = table.enter(1 << 16, maximum: 2) {
              let now = held.add(1, ordering: .relaxed).newValue
              if now > most.load(ordering: .relaxed) { most.store(now, ordering: .relaxed) }
              held.subtract(1, ordering: .relaxed)
              table.leave(place)
            }
            if case .entered(let place) = other { table.leave(place) }
          }
        })
    }
    for thread in threads { thread.join() }
    #expect((1...2).contains(most.load(ordering: .relaxed)))
    #expect(table.enter(1 << 16, maximum: 1) != .refused)
  }
}
