// long: one case after the other of what RFC 9111 asks, over the same origin.

import GatewayTesting
import Kernel
import Testing

/// The shared cache, through the running gateway; each origin counts what reaches it.
struct CacheTests {
  static func configuration(_ url: String, _ options: String = "") -> String {
    """
    admin: { address: "127.0.0.1:${ADMIN_PORT}", token: "${TOKEN}" }
    routes:
      all:
        match: /*
        timeouts: { first_byte: 2s }
        plugins: [{ cache: { \(options) } }]
        upstream: "\(url)"
    """
  }

  static func plan() -> RunningGateway.Plan {
    var plan = RunningGateway.Plan()
    plan.workers = 2
    plan.environment = [("TOKEN", "a-token-of-the-tests-that-is-long-enough")]
    return plan
  }

  /// An origin that answers every request with these fields, and numbers its answers.
  private func exchange(
    _ fields: [String], _ options: String = "", status: String = "200 OK", body: String? = nil,
    _ use: (RunningGateway, Origin) throws -> Void
  ) throws {
    let count = Lock(0)
    let origin = try Origin { connection in
      while try connection.request() != nil {
        let number = count.withLock { count -> Int in
          count += 1
          return count
        }
        try connection.answer(status, fields, body: body ?? "answer \(number)")
      }
    }
    try withGateway(Self.configuration(origin.url, options), Self.plan()) { gateway in try use(gateway, origin) }
    #expect(origin.failures.isEmpty, "\(origin.failures)")
    origin.stop()
  }

  @Test func `a second request is answered without the origin, on any worker, and is logged`() throws {
    try exchange(["Cache-Control: max-age=60", "ETag: \"v1\"", "X-Mine: 1"]) { (gateway, origin) throws in
      let first = try gateway.get("/a?x=1")
      #expect(first["Cache-Status"] == "sluice; fwd=miss; stored")
      for _ in 0..<8 {
        let hit = try gateway.get("/a?x=1")
        #expect(hit.text == "answer 1")
        #expect(hit.status == 200)
        #expect(hit["Content-Length"] == "8")
        #expect(hit["X-Mine"] == "1")
        #expect(Int(hit["Age"] ?? "") ?? 99 < 60)
        #expect(hit["Cache-Status"]?.hasPrefix("sluice; hit; ttl=") == true)
        #expect(hit["Date"] != nil)
      }
      #expect(origin.requests.count == 1)
      // Workers write their records when they come to it: these have no order.
      let records = try gateway.awaitRecords(9)
      let hits = records.filter { $0["cache"]?.string == "hit" }
      #expect(hits.count == 8)
      #expect(records.count { $0["cache"]?.string == "miss" } == 1)
      for hit in hits {
        #expect(hit["bytes_out"]?.integer == 8)
        #expect(hit["attempts"] == nil)
      }
      #expect(try gateway.metric(#"sluice_cache_requests_total"#) == 9)
      #expect(try gateway.metric("sluice_cache_bytes") ?? 0 > 500)
    }
  }

  @Test(arguments: [
    ["Cache-Control: no-store"], ["Cache-Control: private, max-age=60"], ["Cache-Control: max-age=0"],
    ["Cache-Control: max-age=60", "Vary: *"], ["Cache-Control: max-age=60", "Set-Cookie: a=b"],
    ["Cache-Control: max-age=abc"], ["Expires: 0"], ["Cache-Control: max-age=60, s-maxage=0"], [],
    ["Cache-Control: max-age=60", "Age: 60"], ["Cache-Control: max-age=60, max-age=0"],
    ["Cache-Control: max-age=60", "Vary: a, b, c, d, e, f, g, h, i"],
    ["Expires: Sun, 06 Nov 1994 08:49:37 GMT", "Date: Sun, 06 Nov 1994 08:49:37 GMT"],
  ])
  func `what may not be kept is fetched each time`(fields: [String]) throws {
    try exchange(fields) { (gateway, origin) throws in
      #expect(try gateway.get("/").text == "answer 1")
      #expect(try gateway.get("/").text == "answer 2")
    }
  }

  @Test(arguments: [
    ["Cache-Control: s-maxage=60, max-age=0"], ["Expires: Fri, 01 Jan 2090 00:00:00 GMT"],
    ["Expires: Friday, 01-Jan-60 00:00:00 GMT", "Date: Sun Nov  6 08:49:37 1994", "Cache-Control: max-age=2000000000"],
    ["Cache-Control: max-age=99999999999999999999"], ["Cache-Control: MAX-AGE=\"60\""],
  ])
  func `freshness is what the origin says, in each of its forms`(fields: [String]) throws {
    try exchange(fields) { (gateway, origin) throws in
      _ = try gateway.get("/")
      #expect(try gateway.get("/").text == "answer 1")
    }
  }

  @Test func `ttl holds only where the origin says nothing`() throws {
    try exchange([], "ttl: 60s") { (gateway, _) throws in
      _ = try gateway.get("/")
      #expect(try gateway.get("/").text == "answer 1")
    }
    try exchange(["Cache-Control: max-age=0"], "ttl: 60s") { (gateway, _) throws in
      _ = try gateway.get("/")
      #expect(try gateway.get("/").text == "answer 2")
    }
    try exchange([], "ttl: 60s", status: "404 Not Found") { (gateway, _) throws in
      _ = try gateway.get("/")
      #expect(try gateway.get("/").text == "answer 2")
    }
  }

  @Test func `names of one host are one, and what differs is kept apart`() throws {
    try exchange(["Cache-Control: max-age=60"]) { (gateway, origin) throws in
      func ask(_ target: String, _ host: String) throws -> String {
        let client = try gateway.connect()
        try client.send("GET \(target) HTTP/1.1", ["Host: \(host)"])
        return try client.response().text
      }
      #expect(try ask("/a", "a.example") == "answer 1")
      #expect(try ask("/a", "A.Example:80") == "answer 1")
      #expect(try ask("/x/../a", "a.example") == "answer 1")
      #expect(try ask("/%61", "a.example") == "answer 1")
      #expect(try ask("http://A.EXAMPLE/a", "a.example") == "answer 1")
      #expect(try ask("/a", "b.example") == "answer 2")
      #expect(try ask("/a?", "a.example") == "answer 3")
      #expect(try ask("/A", "a.example") == "answer 4")
      #expect(try ask("/a", "a.example:81") == "answer 5")
      #expect(try ask("/a?x", "a.example") == "answer 6")
      #expect(try ask("/a%3Fx", "a.example") == "answer 7")
    }
  }

  @Test func `Vary keeps answers apart, a bounded number of them`() throws {
    try exchange(["Cache-Control: max-age=60", "Vary: X-Kind, accept-language"]) { (gateway, origin) throws in
      #expect(try gateway.get("/", ["X-Kind: a"]).text == "answer 1")
      #expect(try gateway.get("/", ["X-Kind: b"]).text == "answer 2")
      #expect(try gateway.get("/").text == "answer 3")
      #expect(try gateway.get("/", ["X-Kind: "]).text == "answer 4")
      #expect(try gateway.get("/", ["x-kind: a"]).text == "answer 1")
      #expect(try gateway.get("/").text == "answer 3")
      for number in 0..<40 { _ = try gateway.get("/", ["X-Kind: n\(number)"]) }
      #expect(origin.requests.count == 44)
      #expect(try gateway.get("/", ["X-Kind: n39"]).text == "answer 44")
      #expect(try gateway.get("/", ["X-Kind: a"]).text == "answer 45")
    }
  }

  @Test func `key keeps callers apart, and lets what needs authorization be kept`() throws {
    try exchange(["Cache-Control: max-age=60"]) { (gateway, _) throws in
      #expect(try gateway.get("/", ["Authorization: a"]).text == "answer 1")
      #expect(try gateway.get("/", ["Authorization: a"]).text == "answer 2")
    }
    try exchange(["Cache-Control: max-age=60, public"]) { (gateway, _) throws in
      #expect(try gateway.get("/", ["Authorization: a"]).text == "answer 1")
      #expect(try gateway.get("/", ["Authorization: b"]).text == "answer 1")
    }
    try exchange([], "ttl: 60s, key: [header.authorization, query.q]") { (gateway, _) throws in
      #expect(try gateway.get("/", ["Authorization: a"]).text == "answer 1")
      #expect(try gateway.get("/", ["Authorization: b"]).text == "answer 2")
      #expect(try gateway.get("/", ["Authorization: a"]).text == "answer 1")
      #expect(try gateway.get("/").text == "answer 3")
    }
  }

  @Test func `a client that has the answer gets 304, and HEAD gets the head`() throws {
    let fields = ["Cache-Control: max-age=60", "ETag: \"v1\"", "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT"]
    try exchange(fields) { (gateway, origin) throws in
      _ = try gateway.get("/", ["If-None-Match: \"v1\""])
      for condition in [
        "If-None-Match: \"v0\", W/\"v1\"", "If-None-Match: *", "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT",
      ] {
        let held = try gateway.get("/", [condition])
        #expect(held.status == 304)
        #expect(held["ETag"] == "\"v1\"")
        #expect(held["Content-Length"] == nil)
        #expect(held.body.isEmpty)
      }
      #expect(try gateway.get("/", ["If-None-Match: \"v2\""]).status == 200)
      #expect(try gateway.get("/", ["If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT"]).status == 200)
      let client = try gateway.connect()
      try client.send("HEAD / HTTP/1.1", ["Host: a.example"])
      let head = try client.response(to: "HEAD")
      #expect(head["Content-Length"] == "8")
      #expect(origin.requests.count == 1)
      #expect(origin.requests[0]["If-None-Match"] == nil)
    }
  }

  @Test func `what clients say of caching holds`() throws {
    try exchange(["Cache-Control: max-age=60"]) { (gateway, origin) throws in
      #expect(try gateway.get("/", ["Cache-Control: only-if-cached"]).status == 504)
      #expect(try gateway.get("/", ["Cache-Control: no-store"]).text == "answer 1")
      #expect(try gateway.get("/").text == "answer 2")
      #expect(try gateway.get("/", ["Cache-Control: only-if-cached"]).text == "answer 2")
      #expect(try gateway.get("/", ["Cache-Control: no-cache"]).text == "answer 3")
      #expect(try gateway.get("/", ["Pragma: no-cache"]).text == "answer 4")
      #expect(try gateway.get("/", ["Cache-Control: min-fresh=100"]).text == "answer 5")
      #expect(try gateway.get("/", ["Range: bytes=0-1"]).text == "answer 6")
      #expect(try gateway.get("/").text == "answer 5")
    }
    try exchange(["Cache-Control: max-age=60", "Age: 70", "ETag: \"1\""]) { (gateway, _) throws in
      _ = try gateway.get("/")
      #expect(try gateway.get("/", ["Cache-Control: max-stale"]).text == "answer 1")
      #expect(try gateway.get("/", ["Cache-Control: max-stale=1000"]).text == "answer 1")
      #expect(try gateway.get("/", ["Cache-Control: max-stale=5"]).text == "answer 2")
    }
  }

  @Test func `a stale answer is confirmed by 304, and its fields are mended`() throws {
    let count = Lock(0)
    let origin = try Origin { connection in
      while let request = try connection.request() {
        let number = count.withLock { count -> Int in
          count += 1
          return count
        }
        if request["If-None-Match"] == "\"v1\"" {
          try connection.send(
            "HTTP/1.1 304 Not Modified\r\nETag: \"v1\"\r\nX-Number: \(number)\r\nCache-Control: max-age=60\r\n\r\n")
        } else {
          let fields = ["Cache-Control: no-cache", "ETag: \"v1\"", "X-Number: \(number)", "X-Kept: yes"]
          try connection.answer("200 OK", fields, body: "body")
        }
      }
    }
    try withGateway(Self.configuration(origin.url), Self.plan()) { (gateway) throws in
      _ = try gateway.get("/")
      let confirmed = try gateway.get("/")
      #expect(confirmed.status == 200)
      #expect(confirmed.text == "body")
      #expect(confirmed.values("X-Number") == ["2"])
      #expect(confirmed["X-Kept"] == "yes")
      #expect(confirmed["Cache-Status"]?.contains("fwd-status=304") == true)
      #expect(try gateway.get("/").text == "body")
      #expect(origin.requests.count == 2)
      let records = try gateway.awaitRecords(3)
      #expect(records.compactMap { $0["cache"]?.string }.sorted() == ["hit", "miss", "revalidated"])
    }
    origin.stop()
  }

  @Test func `a stale answer stands in for a failing origin only where that is allowed`() throws {
    for (field, status) in [("max-age=0, stale-if-error=60", 200), ("max-age=0, must-revalidate", 503)] {
      let isBroken = Lock(false)
      let origin = try Origin { connection in
        while try connection.request() != nil {
          let fields = ["Cache-Control: \(field)", "ETag: \"1\""]
          let status = isBroken.withLock { $0 } ? "503 Service Unavailable" : "200 OK"
          try connection.answer(status, fields, body: "body")
        }
      }
      try withGateway(Self.configuration(origin.url), Self.plan()) { (gateway) throws in
        _ = try gateway.get("/")
        isBroken.withLock { $0 = true }
        let second = try gateway.get("/")
        #expect(second.status == status)
        origin.stop()
        let third = try gateway.get("/")
        #expect(third.status == (status == 200 ? 200 : 502))
        if status == 200 { #expect(third.text == "body") }
      }
    }
  }

  @Test func `a stale answer is served while the origin is asked behind the client's back`() throws {
    let fields = ["Cache-Control: max-age=60, stale-while-revalidate=600", "Age: 61", "ETag: \"1\""]
    try exchange(fields) { (gateway, origin) throws in
      #expect(try gateway.get("/").text == "answer 1")
      #expect(try gateway.get("/").text == "answer 1")
      let requests = try origin.awaitRequests(2)
      #expect(requests[1]["If-None-Match"] == "\"1\"")
      let isNew = Deadline.usual.poll { (try? gateway.get("/").text) != "answer 1" }
      #expect(isNew)
    }
  }

  @Test func `requests for the same at the same time are one`() throws {
    let mayGo = Lock(false)
    let origin = try Origin { connection in
      while try connection.request() != nil {
        guard Deadline.usual.poll({ mayGo.withLock { $0 } }) else { throw WireError.timedOut }
        try connection.answer("200 OK", ["Cache-Control: max-age=60"], body: "once")
      }
    }
    try withGateway(Self.configuration(origin.url, "wait: 30s"), Self.plan()) { (gateway) throws in
      let clients = try (0..<20).map { _ in try gateway.connect() }
      for client in clients { try client.send("GET / HTTP/1.1", ["Host: a.example"]) }
      _ = try origin.awaitRequests(1)
      let haveJoined = Deadline.usual.poll { (try? gateway.metric("sluice_cache_collapsed_total")) == 19 }
      #expect(haveJoined)
      mayGo.withLock { $0 = true }
      for client in clients { #expect(try client.response().text == "once") }
      #expect(origin.requests.count == 1)
    }
    origin.stop()
  }

  @Test func `an answer that breaks off, or is too long, is not kept`() throws {
    let origin = try Origin { connection in
      guard let request = try connection.request() else { return }
      let head = "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n"
      switch request.target {
      case "/length": try connection.send(head + "Content-Length: 100\r\n\r\nshort")
      case "/chunks": try connection.send(head + "Transfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n")
      case "/close": try connection.send(head + "Connection: close\r\n\r\nwho knows")
      default:
        try connection.send(head + "Transfer-Encoding: chunked\r\n\r\n")
        for _ in 0..<20 { try connection.send("400\r\n" + String(repeating: "x", count: 1024) + "\r\n") }
        try connection.send("0\r\n\r\n")
      }
    }
    try withGateway(Self.configuration(origin.url, "object: 10KiB"), Self.plan()) { (gateway) throws in
      for target in ["/length", "/chunks", "/close", "/long"] {
        for _ in 0..<2 {
          let client = try gateway.connect()
          try client.send("GET \(target) HTTP/1.1", ["Host: a.example", "Connection: close"])
          _ = try? client.reader.rest()
        }
      }
      #expect(origin.requests.count == 8)
    }
    origin.stop()
  }

  @Test func `memory is bounded, and what was not used for longest goes first`() throws {
    let body = String(repeating: "x", count: 8 << 10)
    try exchange(["Cache-Control: max-age=60"], "size: 64KiB, object: 16KiB", body: body) { (gateway, origin) throws in
      for number in 0..<20 {
        _ = try gateway.get("/\(number)")
        _ = try gateway.get("/0")
      }
      #expect(origin.requests.count == 20)
      #expect(try gateway.metric("sluice_cache_bytes") ?? .max <= 64 << 10)
      #expect(try gateway.metric("sluice_cache_evictions_total") ?? 0 > 10)
    }
  }

  @Test func `unsafe methods and the operator make what is stored go`() throws {
    try exchange(["Cache-Control: max-age=60"]) { (gateway, origin) throws in
      #expect(try gateway.get("/a").text == "answer 1")
      let client = try gateway.connect()
      try client.send("POST /a HTTP/1.1", ["Host: a.example", "Content-Length: 0"])
      #expect(try client.response().text == "answer 2")
      #expect(try gateway.get("/a").text == "answer 3")
      #expect(try gateway.get("/b/c").text == "answer 4")
      func purge(_ query: String, _ token: String) throws -> WireMessage {
        let admin = try Client(port: gateway.adminPort)
        let fields = ["Host: localhost", "Authorization: Bearer \(token)", "Content-Length: 0"]
        try admin.send("POST /api/v1/cache/purge\(query) HTTP/1.1", fields)
        return try admin.response()
      }
      let token = "a-token-of-the-tests-that-is-long-enough"
      #expect(try purge("?all=true", "wrong").status == 401)
      #expect(try purge("", token).status == 400)
      #expect(try purge("?path=/b", token).text.contains("\"purged\":0"))
      #expect(try gateway.get("/a").text == "answer 3")
      #expect(try purge("?prefix=/b", token).text.contains("\"purged\":1"))
      #expect(try gateway.get("/a").text == "answer 3")
      #expect(try gateway.get("/b/c").text == "answer 5")
      #expect(try purge("?route=none", token).text.contains("\"purged\":0"))
      #expect(try purge("?all=true", token).text.contains("\"purged\":2"))
      #expect(try gateway.get("/a").text == "answer 6")
    }
  }

  @Test func `a large answer is sent from the one copy, to slow readers too`() throws {
    let body = String(repeating: "0123456789abcdef", count: 50_000)
    try exchange(["Cache-Control: max-age=60"], body: body) { (gateway, origin) throws in
      for _ in 0..<3 {
        let clients = try (0..<4).map { _ in try gateway.connect() }
        for client in clients { try client.send("GET / HTTP/1.1", ["Host: a.example"]) }
        for client in clients { #expect(try client.response().text == body) }
      }
      #expect(origin.requests.count == 1)
    }
  }
}
