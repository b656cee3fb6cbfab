import GatewayTesting
import Testing

/// Which route a request takes, what it becomes on its way, and what the gateway answers by itself.
struct RoutingTests {
  @Test func `no route is 404 and a method that no route takes is 405 with Allow`() throws {
    let origin = try Origin.ok()
    let text = """
      routes:
        read: { match: "GET /items/{id}", upstream: ORIGIN }
        write: { match: ["PUT /items/{id}", "DELETE /items/{id}"], upstream: ORIGIN }
      """
    try withGateway(text, to: origin) { gateway in
      let client = try gateway.connect()
      let missing = try client.get("/other")
      #expect(missing.status == 404)
      #expect(missing["X-Fault"] == "client")
      #expect(missing["Content-Type"] == "application/problem+json")
      let problem = try JSONValue(parsing: missing.text)
      #expect(problem["status"]?.integer == 404)
      #expect(problem["request_id"]?.string == missing["X-Request-Id"])
      try client.send("POST /items/1 HTTP/1.1", ["Host: a.example", "Content-Length: 2"], body: "ab")
      let refused = try client.response()
      #expect(refused.status == 405)
      let allowed = (refused["Allow"] ?? "").split(separator: ",").map { $0.drop { $0 == " " } }
      #expect(Set(allowed) == ["GET", "HEAD", "PUT", "DELETE"])
      // Neither ends the connection.
      #expect(try client.get("/items/1").status == 200)
      #expect(origin.requests.count == 1)
      let reasons = try gateway.awaitRecords(3).map { $0["reason"]?.string }
      #expect(reasons == ["no_route", "method_not_allowed", nil])
    }
  }

  @Test(arguments: [
    ("{ strip_prefix: /api }", "/api/v1/x?q", "/v1/x?q"), ("{ strip_prefix: /api }", "/api", "/"),
    ("{ strip_prefix: /api }", "/api/", "/"), ("{ strip_prefix: /api }", "/apis/x", "/apis/x"),
    ("{ prefix: /base }", "/x", "/base/x"), ("{ strip_prefix: /api, prefix: /base/ }", "/api/x", "/base/x"),
    ("{ path: /fixed }", "/a/b?c=d", "/fixed?c=d"), ("{ strip_prefix: /api }", "/%61pi/x", "/x"),
  ])
  func `a path is rewritten`(rewrite: String, target: String, forwarded: String) throws {
    let origin = try Origin.ok()
    try withGateway("routes: { all: { match: /*, upstream: ORIGIN, rewrite: \(rewrite) } }", to: origin) { gateway in
      let response = try gateway.get(target)
      #expect(response.status == 200)
      #expect(origin.requests.map(\.target) == [forwarded])
      #expect(origin.requests.first?["Host"] == "a.example")
    }
  }

  @Test func `a host is rewritten and the client's is told beside it`() throws {
    let origin = try Origin.ok()
    let text = "routes: { all: { match: /*, upstream: ORIGIN, rewrite: { host: inner.example } } }"
    try withGateway(text, to: origin) { gateway in
      let response = try gateway.get("/")
      #expect(response.status == 200)
      #expect(origin.requests.first?.values("Host") == ["inner.example"])
      #expect(origin.requests.first?["X-Forwarded-Host"] == "a.example")
    }
  }

  @Test func `fixed answers and redirects need no target`() throws {
    let text = """
      routes:
        text: { match: /text, respond: { status: 201, headers: { X-Kind: fixed }, body: "hello\\n" } }
        json: { match: /json, respond: { json: { ok: true, list: [1, 2] } } }
        empty: { match: /empty, respond: 204 }
        moved: { match: /old/*, redirect: { location: "https://new.example/", status: 301 } }
        short: { match: /short, redirect: /long }
      """
    try withGateway(text) { gateway in
      let client = try gateway.connect()
      let fixed = try client.get("/text")
      #expect(fixed.status == 201)
      #expect(fixed.text == "hello\n")
      #expect(fixed["X-Kind"] == "fixed")
      #expect(fixed["Content-Type"] == "text/plain; charset=utf-8")
      #expect(fixed["X-Fault"] == nil)
      let json = try client.get("/json")
      #expect(json["Content-Type"] == "application/json")
      #expect(try JSONValue(parsing: json.text)["ok"] == .flag(true))
      let empty = try client.get("/empty")
      #expect(empty.status == 204)
      #expect(empty["Content-Length"] == nil)
      let moved = try client.get("/old/page")
      #expect(moved.status == 301)
      #expect(moved["Location"] == "https://new.example/")
      #expect(try client.get("/short")["Location"] == "/long")
      try client.send("HEAD /text HTTP/1.1", ["Host: a.example"])
      let head = try client.response(to: "HEAD")
      #expect(head["Content-Length"] == "6")
      #expect(try client.get("/short").status == 308)
      for record in try gateway.awaitRecords(7) {
        #expect(record["upstream"] == nil)
        #expect(record["fault"] == nil)
      }
    }
  }

  @Test func `a fixed answer drops a body that is there and closes for one that is not`() throws {
    try withGateway("routes: { all: { match: /*, respond: 200 } }") { gateway in
      let client = try gateway.connect()
      try client.send("POST / HTTP/1.1", ["Host: a.example", "Content-Length: 5"], body: "12345")
      #expect(try client.response()["Connection"] == nil)
      try client.send("POST / HTTP/1.1", ["Host: a.example", "Content-Length: 50000"])
      #expect(try client.response()["Connection"] == "close")
      #expect(client.isClosedByPeer())
    }
  }

  @Test(arguments: [
    ("/a/./b", "/a/b"), ("/a/../b", "/b"), ("/../../b", "/b"), ("/a/%2e%2e/b", "/b"), ("/%61%7e%2D", "/a~-"),
    ("/a%20b", "/a%20b"), ("/a%3fb", "/a%3Fb"), ("/caf%c3%a9", "/caf%C3%A9"), ("/a//b", "/a/b"), ("//a///b//", "/a/b/"),
    ("/a/b/..", "/a/"),
    ("/.", "/"), ("/a?x=../%2e", "/a?x=../%2e"),
  ])
  func `a path is normalised once before it is matched and forwarded`(target: String, forwarded: String) throws {
    let origin = try Origin.ok()
    try withGateway(to: origin) { gateway in
      let response = try gateway.get(target)
      #expect(response.status == 200)
      #expect(origin.requests.map(\.target) == [forwarded])
    }
  }

  @Test func `routes cannot be slipped past by another spelling`() throws {
    let origin = try Origin.ok()
    let text = """
      routes:
        all: { match: /*, upstream: ORIGIN }
        closed: { match: /admin/*, respond: 403 }
      """
    try withGateway(text, to: origin) { gateway in
      for target in [
        "/admin", "/admin/", "/x/../admin/a", "/%61dmin/a", "/x/%2e%2e/admin", "/./admin/x", "//admin", "/admin//x",
        "///x/..//admin",
      ] {
        let response = try gateway.get(target)
        #expect(response.status == 403, "\(target)")
      }
      for target in ["/x/..%2fadmin", "/admin%2fx", "/x/%5c..%5cadmin", "/x\\..\\admin", "/x/..;/admin", "/%00"] {
        #expect(try gateway.get(target).status == 400, "\(target)")
      }
      #expect(origin.requests.isEmpty)
    }
  }

  @Test(arguments: ["/files/a%2Fb", "/files/a%2fb", "/files/a%5Cb"])
  func `an encoded slash is refused unless the route keeps it`(target: String) throws {
    let origin = try Origin.ok()
    let text = """
      routes:
        kept: { match: /files/*, upstream: ORIGIN, encoded_slashes: keep }
        other: { match: /*, upstream: ORIGIN }
      """
    try withGateway(text, to: origin) { gateway in
      let kept = try gateway.get(target)
      #expect(kept.status == 200)
      #expect(origin.requests.first?.target.uppercased() == target.uppercased())
      let refused = try gateway.get("/x" + target)
      #expect(refused.status == 400)
      #expect(refused["X-Fault"] == "client")
      #expect(try gateway.awaitRecords(2)[1]["reason"]?.string == "encoded_slash")
    }
  }

  @Test func `empty segments are merged, refused or kept as the route says`() throws {
    let origin = try Origin.ok()
    let text = """
      routes:
        all: { match: /*, upstream: ORIGIN }
        exact: { match: /v1/feedback, respond: { body: exact } }
        strip: { match: /strip/*, upstream: ORIGIN, rewrite: { strip_prefix: /strip } }
        kept: { match: /kept/*, upstream: ORIGIN, empty_segments: keep }
        both: { match: /both/*, upstream: ORIGIN, rewrite: { strip_prefix: /both }, empty_segments: keep }
        refused: { match: /refused/*, upstream: ORIGIN, empty_segments: refuse }
      """
    try withGateway(text, to: origin) { gateway in
      #expect(try gateway.get("//v1/feedback").text == "exact")
      #expect(try gateway.get("/v1//feedback").text == "exact")
      let refused = try gateway.get("/refused//x")
      #expect(refused.status == 400)
      #expect(refused.text.contains("empty_segments: merge"))
      #expect(try gateway.get("/refused/x/").status == 200)
      for target in ["/strip//evil.example/x", "/kept//a///b/", "//kept/%41", "/both//evil.example//x"] {
        #expect(try gateway.get(target).status == 200)
      }
      let expected = ["/refused/x/", "/evil.example/x", "/kept//a///b/", "//kept/A", "/evil.example//x"]
      #expect(origin.requests.map(\.target) == expected)
    }
  }

  @Test func `CONNECT opens no tunnel, and OPTIONS * is answered for the server`() throws {
    try withGateway("routes: { a: { match: [POST /a, PURGE /b], respond: 200 } }") { gateway in
      let options = try gateway.connect()
      try options.send("OPTIONS * HTTP/1.1", ["Host: a.example"])
      let answer = try options.response(to: "OPTIONS")
      #expect(answer.status == 204)
      #expect(answer["Allow"] == "POST, OPTIONS, PURGE")
      try options.send("POST /a HTTP/1.1", ["Host: a.example", "Content-Length: 0"])
      #expect(try options.response().status == 200)
      let connect = try gateway.connect()
      try connect.send("CONNECT a.example:443 HTTP/1.1", ["Host: a.example:443"])
      let refused = try connect.response()
      #expect(refused.status == 501)
      #expect(refused["X-Fault"] == "client")
      #expect(connect.isClosedByPeer())
    }
  }

  @Test func `hosts, headers, queries and listeners choose a route`() throws {
    var plan = RunningGateway.Plan()
    plan.listeners = #"{ public: "127.0.0.1:${PORT}", inner: "127.0.0.1:${ADMIN_PORT}" }"#
    let text = """
      routes:
        any: { match: /*, respond: { body: any } }
        host: { match: { hosts: [b.example], paths: [/*] }, respond: { body: host } }
        wild: { match: { hosts: ["*.b.example"], paths: [/*] }, respond: { body: wild } }
        header: { match: { paths: [/kind], headers: { x-kind: beta } }, respond: { body: header } }
        query: { match: { paths: [/*], query: { v: "2" } }, respond: { body: query } }
        inner: { match: { paths: [/inner], listeners: [inner] }, respond: { body: inner } }
      """
    try withGateway(text, plan) { gateway in
      func body(_ target: String, host: String = "a.example", _ fields: [String] = []) throws -> String {
        let client = try gateway.connect()
        try client.send("GET \(target) HTTP/1.1", ["Host: \(host)"] + fields)
        return try client.response().text
      }
      let inner = try Client(port: gateway.adminPort).get("/inner").text
      #expect(inner == "inner")
      #expect(try body("/") == "any")
      #expect(try body("/", host: "B.example:8080") == "host")
      #expect(try body("/", host: "x.y.b.example") == "wild")
      #expect(try body("/kind", ["X-Kind: beta"]) == "header")
      #expect(try body("/kind", ["X-Kind: alpha"]) == "any")
      #expect(try body("/?a=1&v=2") == "query")
      #expect(try body("/inner") == "any")
    }
  }
}
