import Kernel
import PluginKit
import Testing

@testable import Engine

@Suite struct RouteTableExplainTests {
  @Test func `every route that is not taken says why`() throws {
    let table = try RouteTable(
      [
        route("GET /a/{x}"), route("/a/*"), route("POST /a/b"), route("/a/b", hosts: ["h"]),
        route("/a/b", listeners: [1]), route("/a/b", headers: ["v=2"]), route("/a/b", query: ["q"]), route("/c"),
      ], seed: 7)
    let verdicts = Call(path: "/a/b", host: "g").explain(table)
    #expect(
      verdicts.map(\.verdict) == [
        .chosen, .lessSpecific(than: 0), .method, .host, .listener, .header("v"), .query("q"), .path,
      ])
    #expect(verdicts.map(\.path) == [0, 0, 0, 0, 0, 0, 0, nil])
  }

  @Test func `a preflight is explained by the method it asks for`() throws {
    let table = try RouteTable([route("GET /a"), route("PUT /a"), route("OPTIONS /b")], seed: 7)
    let preflight = Call(method: "OPTIONS", path: "/a", preflight: "PUT").explain(table)
    #expect(preflight.map(\.verdict) == [.method, .chosen, .path])
    let named = Call(method: "OPTIONS", path: "/b", preflight: "PUT").explain(table)
    #expect(named.map(\.verdict) == [.path, .path, .chosen])
  }

  @Test(arguments: 0..<300)
  func `the table and the patterns one by one agree on every request`(seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    let patterns = try (0..<Int.random(in: 1...12, using: &random)).map { _ in try RandomRoutes.pattern(&random) }
    let table = try RouteTable(patterns, seed: random.next())
    for _ in 0..<200 {
      let call = RandomRoutes.call(&random)
      let explained = call.explain(table)
      let chosen = explained.filter { $0.verdict == .chosen }
      #expect(chosen.count <= 1)
      #expect(call.route(in: table) == chosen.first?.route, "seed \(seed), \(call)")
      var parameters = PathParameters()
      switch call.match(table, &parameters) {
      case .route(let route, let path, _):
        #expect(patterns[route].paths[path].parameterNames.count == parameters.count)
      case .methodNotAllowed: #expect(explained.contains { $0.verdict == .method }, "seed \(seed), \(call)")
      case .notFound: #expect(!explained.contains { $0.verdict == .method }, "seed \(seed), \(call)")
      }
    }
  }
}
