import Kernel
import Testing

@testable import Engine

@Suite struct RouteTableConflictTests {
  private func conflicts(_ patterns: RoutePattern...) throws -> [[Int]] {
    try RouteTable(patterns, seed: 7).conflicts().map { [$0.first, $0.second] }
  }

  @Test func `templates of one shape tie whatever their parameters are called`() throws {
    #expect(try conflicts(route("/a/{x}"), route("/a/{y}")) == [[0, 1]])
    #expect(try conflicts(route("/a/*"), route("/a/*")) == [[0, 1]])
    #expect(try conflicts(route("/a"), route("/b /a")) == [[0, 1]])
    #expect(
      try RouteTable([route("/a"), route("/b /a")], seed: 7).conflicts()
        == [RouteConflict(first: 0, second: 1, firstPath: 0, secondPath: 1)])
  }

  @Test func `templates of different shapes never tie`() throws {
    #expect(try conflicts(route("/a/{x}"), route("/{x}/a"), route("/a/*"), route("/a"), route("/a/")).isEmpty)
  }

  @Test func `a route does not tie with itself`() throws {
    #expect(try conflicts(route("/a/{x} /a/{y} /a/{x}", hosts: ["h", "H"])).isEmpty)
  }

  @Test func `patterns of one owner do not tie, and two owners are told once`() throws {
    let table = try RouteTable([route("/a"), route("/a"), route("/a"), route("/b"), route("/b")], seed: 7)
    let found = table.conflicts(owners: [0, 0, 1, 1, 0])
    #expect(found.map { [$0.first, $0.second] } == [[0, 2]])
  }

  @Test func `methods, hosts, listeners and the number of conditions keep routes apart`() throws {
    #expect(try conflicts(route("GET /a"), route("POST /a"), route("/a")).isEmpty)
    #expect(try conflicts(route("/a", hosts: ["h"]), route("/a", hosts: ["*.h"]), route("/a")).isEmpty)
    #expect(try conflicts(route("/a", listeners: [0]), route("/a", listeners: [1])).isEmpty)
    #expect(try conflicts(route("/a", headers: ["x"]), route("/a", headers: ["x", "y"])).isEmpty)
  }

  @Test func `one shared method, host or listener is enough to tie`() throws {
    #expect(try conflicts(route("GET PUT /a"), route("PUT /a")) == [[0, 1]])
    #expect(try conflicts(route("GET /a"), route("HEAD GET /a")) == [[0, 1]])
    #expect(try conflicts(route("/a", hosts: ["g", "h"]), route("/a", hosts: ["H."])) == [[0, 1]])
    #expect(try conflicts(route("/a", listeners: [0, 1]), route("/a", listeners: [1])) == [[0, 1]])
    #expect(try conflicts(route("POST /a"), route("/a", headers: ["x"])) == [[0, 1]])
  }

  @Test func `different values of one name keep routes apart, different names do not`() throws {
    #expect(try conflicts(route("/a", headers: ["x=1"]), route("/a", headers: ["x=2"])).isEmpty)
    #expect(try conflicts(route("/a", query: ["x=1"]), route("/a", query: ["x=2"])).isEmpty)
    #expect(try conflicts(route("/a", headers: ["x=1"]), route("/a", query: ["x=2"])) == [[0, 1]])
    #expect(try conflicts(route("/a", headers: ["x=1"]), route("/a", headers: ["x"])) == [[0, 1]])
    #expect(try conflicts(route("/a", headers: ["x=1"]), route("/a", headers: ["y=2"])) == [[0, 1]])
  }

  @Test func `of a large group every tie is found and nothing else`() throws {
    var patterns = try (0..<2000).map { try route("/a", headers: ["x=\($0)"]) }
    patterns.append(try route("/a", headers: ["x=77"]))
    patterns.append(try route("/a", query: ["q"], listeners: []))
    let table = try RouteTable(patterns, seed: 7)
    let found = table.conflicts(limit: 5000)
    #expect(found.count == 1 + 2001)
    #expect(found.contains { $0.first == 77 && $0.second == 2000 })
    #expect(found.filter { $0.second == 2001 }.count == 2001)
    #expect(table.conflicts().count == 100)
  }

  @Test(arguments: 0..<200)
  func `no conflict means that no request can tell two orders of the routes apart`(seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    let patterns = try (0..<6).map { _ in try RandomRoutes.pattern(&random) }
    let table = try RouteTable(patterns, seed: seed)
    guard table.conflicts().isEmpty else { return }
    let reversed = try RouteTable(patterns.reversed(), seed: ~seed)
    for _ in 0..<200 {
      let call = RandomRoutes.call(&random)
      let backwards = call.route(in: reversed).map { patterns.count - 1 - $0 }
      #expect(call.route(in: table) == backwards, "seed \(seed), \(call)")
    }
  }
}
