import Configuration
import Engine
import Testing

/// The numbers that conditions know listeners by, from one configuration to the next.
struct ListenerIndexTests {
  private func snapshot(_ names: [String], after previous: Snapshot? = nil) throws -> Snapshot {
    let listeners = names.enumerated().map {
      ListenerSettings(name: $0.element, address: .ip(host: "127.0.0.1", port: 8000 + $0.offset))
    }
    return try Snapshot(
      GatewaySettings(listeners: listeners), plugins: PluginCatalog([]), previous: previous,
      generation: (previous?.generation ?? 0) + 1)
  }

  @Test func `a listener that stays keeps its number wherever it stands`() throws {
    let first = try snapshot(["public", "inside"])
    let second = try snapshot(["new", "inside", "public"], after: first)
    #expect(second.listenerIndices["public"] == first.listenerIndices["public"])
    #expect(second.listenerIndices["inside"] == first.listenerIndices["inside"])
    #expect(Set(second.listenerIndices.values).count == 3)
  }

  @Test func `a new listener does not get the number of one that just went`() throws {
    let first = try snapshot(["a", "b"])
    let second = try snapshot(["c"], after: first)
    #expect(!first.listenerIndices.values.contains(try #require(second.listenerIndices["c"])))
  }

  @Test func `numbers stay small however often listeners change`() throws {
    var last = try snapshot((0..<40).map { "0-\($0)" })
    for round in 1..<20 {
      let next = try snapshot((0..<20).map { "\(round)-\($0)" }, after: last)
      #expect(Set(next.listenerIndices.values).count == 20)
      #expect(next.listenerIndices.values.allSatisfy { (0..<63).contains($0) })
      #expect(Set(next.listenerIndices.values).isDisjoint(with: last.listenerIndices.values))
      last = next
    }
  }
}
