import Kernel
import PluginKit
import Testing

@testable import Engine

@Suite struct RouteTableTests {
  private func table(_ patterns: RoutePattern...) throws -> RouteTable { try RouteTable(patterns, seed: 7) }

  @Test(
    arguments: [
      ("/x", 0), ("/x/", 1), ("/x/a", 1), ("/x/a/b", 1), ("/x//", 1), ("/xa", nil), ("/", nil), ("/y/", 2), ("/y", nil),
      ("/z", 3), ("/z/", 3), ("/X", nil), ("", nil), ("x", nil), ("*", nil),
    ] as [(String, Int?)])
  func `a path fits its template and a trailing slash counts`(path: String, expected: Int?) throws {
    let table = try table(route("/x"), route("/x/*"), route("/y/"), route("/z/*"))
    #expect(Call(path: path).route(in: table) == expected)
  }

  @Test(
    arguments: [
      ("/a/b/c", 0), ("/a/x/c", 1), ("/a/b/d", 2), ("/a/x/d", 3), ("/a/b/e", 4), ("/a/b", 5), ("/a/b/e/f", 4),
      ("/a", 6), ("/q/b/c", 7), ("/q/r/c", 6), ("/a/x", 5), ("/a/x/y/z", 5), ("/a/", 6),
    ] as [(String, Int)])
  func `segment by segment a literal beats a parameter beats the rest`(path: String, expected: Int) throws {
    let table = try table(
      route("/a/b/c"), route("/a/{p}/c"), route("/a/b/{q}"), route("/a/{p}/{q}"), route("/a/b/e/*"), route("/a/{p}/*"),
      route("/*"), route("/{o}/b/c"))
    #expect(Call(path: path).route(in: table) == expected)
  }

  @Test(
    arguments: [
      ("/t", 0, []), ("/t@1", 1, ["1"]), ("/t@", 3, ["t@"]), ("/t@@2", 1, ["@2"]), ("/t@v3", 2, ["3"]),
      ("/t@v", 1, ["v"]), ("/u@1", 3, ["u@1"]), ("/t@9", 4, []), ("/t@v3/x", 5, ["3"]), ("/t@8/x", 6, ["8"]),
      ("/t@/x", nil, []),
    ] as [(String, Int?, [String])])
  func `a literal beats a prefix, a longer one a shorter one, and that a parameter`(
    path: String, expected: Int?, parameters: [String]
  ) throws {
    let table = try table(
      route("/t"), route("/t@{v}"), route("/t@v{n}"), route("/{p}"), route("/t@9"), route("/t@v{n}/x"),
      route("/t@{v}/x"))
    #expect(Call(path: path).route(in: table) == expected)
    #expect(Call(path: path).parameters(in: table) == parameters)
  }

  @Test func `parameters are captured from the left, and those of a branch that failed are dropped`() throws {
    let table = try table(route("/{a}/x/{b}/y"), route("/{c}/{d}/*"), route("/k/{e}/x/{f}/z"))
    #expect(Call(path: "/1/x/22/y").parameters(in: table) == ["1", "22"])
    #expect(Call(path: "/1/x/22/q").parameters(in: table) == ["1", "x"])
    #expect(Call(path: "/k/5/x/22/q").parameters(in: table) == ["k", "5"])
    #expect(Call(path: "/k/5/x/22/z").parameters(in: table) == ["5", "22"])
    #expect(Call(path: "/").parameters(in: table) == [])
  }

  @Test func `the match says which path fits and where the rest begins`() throws {
    let table = try table(route("/a /b/* /c/{d}/*"))
    var parameters = PathParameters()
    #expect(Call(path: "/a").match(table, &parameters) == .route(0, path: 0, rest: 2))
    #expect(Call(path: "/b").match(table, &parameters) == .route(0, path: 1, rest: 2))
    #expect(Call(path: "/b/").match(table, &parameters) == .route(0, path: 1, rest: 3))
    #expect(Call(path: "/b/x/y").match(table, &parameters) == .route(0, path: 1, rest: 3))
    #expect(Call(path: "/c/12/x").match(table, &parameters) == .route(0, path: 2, rest: 6))
  }

  @Test(arguments: [
    ("api.example.com", 0), ("API.Example.COM", 0), ("api.example.com:8080", 0), ("api.example.com.", 0),
    ("api.example.com.:80", 0), ("x.example.com", 1), ("x.eu.example.com", 2), ("eu.example.com", 1),
    ("x.y.eu.example.com", 2), ("example.com", 3), (".example.com", 3), ("other", 3), ("", 3), ("[::1]:80", 4),
    ("[::1]", 4), ("[::1", 3), (":", 3), ("xexample.com", 3), (".", 3), ("..", 3),
  ])
  func `an exact host beats the longest wildcard, which beats none`(host: String, expected: Int) throws {
    let table = try table(
      route("/*", hosts: ["api.example.com"]), route("/*", hosts: ["*.Example.com"]),
      route("/*", hosts: ["*.eu.example.com."]), route("/*"), route("/*", hosts: ["[::1]"]))
    #expect(Call(path: "/x", host: host).route(in: table) == expected)
  }

  @Test func `a host longer than any name fits no host`() throws {
    let table = try table(route("/", hosts: ["*.com"]), route("/", hosts: [String(repeating: "a", count: 255)]))
    #expect(Call(host: String(repeating: "a", count: 255)).route(in: table) == 1)
    #expect(Call(host: String(repeating: "A", count: 255)).route(in: table) == 1)
    #expect(Call(host: String(repeating: "A", count: 256)).route(in: table) == nil)
    #expect(Call(host: String(repeating: "A", count: 100_000)).route(in: table) == nil)
  }

  @Test func `the path decides before the host, and a host that fails falls back to a less specific path`() throws {
    let table = try table(route("/a/{b}"), route("/a/*", hosts: ["h"]), route("/a/c", hosts: ["g"]))
    #expect(Call(path: "/a/c", host: "h").route(in: table) == 0)
    #expect(Call(path: "/a/c/d", host: "h").route(in: table) == 1)
    #expect(Call(path: "/a/c", host: "g").route(in: table) == 2)
    #expect(Call(path: "/a/c/d", host: "g").route(in: table) == nil)
  }

  @Test func `more conditions beat fewer and all must hold`() throws {
    let table = try table(
      route("/"), route("/", headers: ["x"]), route("/", headers: ["x=1"], query: ["q"]),
      route("/", query: ["q=2"], listeners: [3]), route("POST /"))
    #expect(Call().route(in: table) == 0)
    #expect(Call(headers: ["x": "1"]).route(in: table) == 1)
    #expect(Call(headers: ["x": "1"], query: ["q": ""]).route(in: table) == 2)
    #expect(Call(headers: ["x": "2"], query: ["q": ""]).route(in: table) == 1)
    #expect(Call(query: ["q": "2"]).route(in: table) == 0)
    #expect(Call(listener: 3, query: ["q": "2"]).route(in: table) == 3)
    #expect(Call(method: "POST").route(in: table) == 4)
  }

  @Test(arguments: MethodMask.standard + ["PURGE", "get", "", "QUERY"])
  func `a method is taken by the route that names it, and any by a route that names none`(method: String) throws {
    let names = MethodMask.standard + ["PURGE", "QUERY"]
    let table = try RouteTable(names.map { try route("\($0) /named") } + [route("/any")], seed: 1)
    #expect(Call(method: method, path: "/named").route(in: table) == names.firstIndex(of: method))
    #expect(Call(method: method, path: "/any").route(in: table) == names.count)
  }

  @Test func `GET includes HEAD unless another route names HEAD`() throws {
    let table = try table(route("GET /a"), route("GET /b"), route("HEAD /b"))
    #expect(Call(method: "HEAD", path: "/a").route(in: table) == 0)
    #expect(Call(method: "HEAD", path: "/b").route(in: table) == 2)
    #expect(Call(method: "GET", path: "/b").route(in: table) == 1)
    #expect(table.conflicts().isEmpty)
  }

  @Test func `a method that no route takes is told with those that are allowed`() throws {
    let table = try table(
      route("GET /a"), route("POST PURGE /{x}"), route("PUT /a", hosts: ["h"]), route("DELETE /a", headers: ["x"]))
    var parameters = PathParameters()
    func allow(_ call: Call) -> String? {
      guard case .methodNotAllowed(let methods) = call.match(table, &parameters) else { return nil }
      var buffer = ByteBuffer()
      table.appendAllow(methods, to: &buffer)
      return text(buffer.span)
    }
    #expect(allow(Call(method: "PATCH", path: "/a")) == "GET, HEAD, POST, PURGE")
    #expect(allow(Call(method: "PATCH", path: "/a", host: "h")) == "GET, HEAD, POST, PUT, PURGE")
    #expect(allow(Call(method: "PATCH", path: "/a", headers: ["x": ""])) == "GET, HEAD, POST, DELETE, PURGE")
    #expect(allow(Call(method: "GET", path: "/b")) == "POST, PURGE")
    #expect(allow(Call(method: "GET", path: "/b/c")) == nil)
    #expect(Call(method: "GET", path: "/b/c").match(table, &parameters) == .notFound)
    #expect(parameters.count == 0)
  }

  @Test func `a method that fails falls back to a less specific path`() throws {
    let table = try table(route("GET /a/b"), route("POST /a/{x}"), route("/a/*"))
    #expect(Call(method: "POST", path: "/a/b").route(in: table) == 1)
    #expect(Call(method: "PUT", path: "/a/b").route(in: table) == 2)
  }

  @Test func `a preflight goes where the request it asks for will, unless a route names OPTIONS`() throws {
    let table = try table(route("GET /a"), route("PUT /a"), route("/*"), route("OPTIONS /o/*"), route("PUT /o/a"))
    #expect(Call(method: "OPTIONS", path: "/a", preflight: "PUT").route(in: table) == 1)
    #expect(Call(method: "OPTIONS", path: "/a", preflight: "GET").route(in: table) == 0)
    #expect(Call(method: "OPTIONS", path: "/a", preflight: "DELETE").route(in: table) == 2)
    #expect(Call(method: "OPTIONS", path: "/a").route(in: table) == 2)
    #expect(Call(method: "OPTIONS", path: "/o/a", preflight: "PUT").route(in: table) == 3)
    #expect(Call(method: "PUT", path: "/o/a").route(in: table) == 4)
  }

  @Test func `a listener's routes are not seen from another`() throws {
    let table = try table(route("/a", listeners: [1, 63]), route("/a/*", listeners: [0]))
    #expect(Call(path: "/a", listener: 1).route(in: table) == 0)
    #expect(Call(path: "/a", listener: 63).route(in: table) == 0)
    #expect(Call(path: "/a", listener: 0).route(in: table) == 1)
    #expect(Call(path: "/a", listener: 2).route(in: table) == nil)
  }

  @Test func `what a table cannot hold is refused`() throws {
    #expect(throws: RouteTableError.listenerOutOfRange(64)) { _ = try table(route("/", listeners: [64])) }
    #expect(throws: RouteTableError.badHost(route: 1, host: "a:80")) {
      _ = try table(route("/"), route("/", hosts: ["a:80"]))
    }
    let methods = (0...MethodMask.maximumExtensions).map { "M\($0)" }.joined(separator: " ")
    #expect(throws: RouteTableError.tooManyMethods) { _ = try table(route("\(methods) /")) }
    for host in ["", "*.", "a b", "*", "a.*.b", "*.[::1]", ".a", String(repeating: "a", count: 256)] {
      #expect(throws: RouteTableError.badHost(route: 0, host: host)) { _ = try table(route("/", hosts: [host])) }
    }
  }

  @Test func `an empty table finds nothing`() throws {
    var parameters = PathParameters()
    #expect(Call(path: "/a", host: "h").match(try table(), &parameters) == .notFound)
  }

  @Test func `a tree with two branches at every level is searched within its own size`() throws {
    var patterns: [RoutePattern] = []
    for bits in 0..<1024 {
      patterns.append(try route("/" + (0..<10).map { bits >> $0 & 1 == 1 ? "a" : "{p\($0)}" }.joined(separator: "/")))
    }
    let table = try RouteTable(patterns, seed: 3)
    #expect(Call(path: "/a/a/a/a/a/a/a/a/a/a").route(in: table) == 1023)
    #expect(Call(path: "/a/a/a/a/a/a/a/a/a/b").route(in: table) == 511)
    #expect(Call(path: "/a/a/a/a/a/a/a/a/a/").route(in: table) == nil)
    #expect(Call(path: String(repeating: "/a", count: 100_000)).route(in: table) == nil)
  }

  @Test func `many routes and many hosts are each found`() throws {
    let count = 20_000
    let paths = try RouteTable((0..<count).map { try route("GET /v1/r\($0)/{id}") }, seed: 11)
    let hosts = try RouteTable((0..<count).map { try route("/*", hosts: ["h\($0).example.com"]) }, seed: 12)
    for index in stride(from: 0, to: count, by: 37) {
      #expect(Call(path: "/v1/r\(index)/x").route(in: paths) == index)
      #expect(Call(path: "/", host: "H\(index).example.com:1").route(in: hosts) == index)
    }
    #expect(Call(path: "/v1/r\(count)/x").route(in: paths) == nil)
    #expect(paths.conflicts().isEmpty)
    #expect(hosts.conflicts().isEmpty)
  }
}
