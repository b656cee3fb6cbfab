import GatewayTesting
import Kernel
import Testing

/// The cache beside what changes: resources, upstreams, and the way that clients and operators look at it.
struct CacheChangeTests {
  /// Answers GET with a number that counts, and everything else with these fields.
  private func origin(_ fields: @escaping @Sendable (WireMessage) -> [String]) throws -> Origin {
    let count = Lock(0)
    return try Origin { connection in
      while let request = try connection.request() {
        if request.startLine.hasPrefix("GET ") {
          let number = count.withLock { count -> Int in
            count += 1
            return count
          }
          try connection.answer("200 OK", ["Cache-Control: max-age=60"], body: "answer \(number)")
        } else {
          try connection.answer("200 OK", fields(request), body: "changed")
        }
      }
    }
  }

  private static func change(_ gateway: RunningGateway, _ method: String, _ target: String, names: String) throws {
    let client = try gateway.connect()
    let fields = ["Host: A.example:80", "Content-Length: 0", "X-Named: \(names)"]
    try client.send("\(method) \(target) HTTP/1.1", fields)
    #expect(try client.response().text == "changed")
  }

  @Test func `an answer to a change makes go what it names at the same origin, and nothing else`() throws {
    let origin = try self.origin { request in (request["X-Named"] ?? "").split(separator: "|").map { String($0) } }
    try withGateway(CacheTests.configuration(origin.url), CacheTests.plan()) { gateway in
      func get(_ target: String) throws -> String {
        let client = try gateway.connect()
        try client.send("GET \(target) HTTP/1.1", ["Host: a.example"])
        return try client.response().text
      }
      let stored = ["/items/7", "/items/7?full=1", "/", "/other"]
      func expect(_ names: String, ends: [String], from target: String = "/items/new") throws {
        let before = try stored.map { try get($0) }
        #expect(try stored.map { try get($0) } == before)
        try Self.change(gateway, "POST", target, names: names)
        let after = try stored.map { try get($0) }
        let ended = stored.indices.filter { before[$0] != after[$0] }.map { stored[$0] }
        #expect(ended == ends, "\(names) from \(target)")
      }
      try expect("Location: /items/7", ends: ["/items/7"])
      try expect("Content-Location: /items/7?full=1#part", ends: ["/items/7?full=1"])
      try expect("Location: 7", ends: ["/items/7"])
      try expect("Location: ../items/./%37", ends: ["/items/7"])
      try expect("Location: http://a.example/items/7", ends: ["/items/7"])
      try expect("Location: HTTP://A.EXAMPLE:80/items/7?full=1", ends: ["/items/7?full=1"])
      try expect("Location: //a.example./items/7", ends: ["/items/7"])
      try expect("Location: http://a.example", ends: ["/"])
      try expect("Location: ?full=1", ends: ["/items/7", "/items/7?full=1"], from: "/items/7")
      try expect("Location: ", ends: ["/other"], from: "/other")
      for name in [
        "http://b.example/items/7", "https://a.example/items/7", "//b.example/items/7", "http://a.example:8080/items/7",
        "urn:items:7", "http:/items/7", "http://a.example@b.example/items/7", "/items/7%", "//", "http://",
      ] {
        try expect("Location: \(name)", ends: [])
      }
      try expect("Location: /items/7|Content-Location: /other", ends: ["/items/7", "/other"])
    }
    #expect(origin.failures.isEmpty, "\(origin.failures)")
    origin.stop()
  }

  /// An upstream that would confirm whatever it is asked to confirm.
  private func spare() throws -> Origin {
    try Origin { connection in
      while let request = try connection.request() {
        if request["If-None-Match"] != nil || request["If-Modified-Since"] != nil {
          try connection.send("HTTP/1.1 304 Not Modified\r\nCache-Control: max-age=60\r\n\r\n")
        } else {
          try connection.answer(
            "200 OK", ["Cache-Control: max-age=60", "X-Seen: \(request["X-Mine"] ?? "")"], body: "spare")
        }
      }
    }
  }

  @Test(arguments: ["max-age=0", "no-cache", "max-age=0, stale-while-revalidate=0"])
  func `a fallback upstream gets no condition of ours, and its answer is not kept`(directive: String) throws {
    let isDown = Lock(false)
    let origin = try Origin { connection in
      while try connection.request() != nil {
        if isDown.withLock({ $0 }) {
          try connection.answer("503 Service Unavailable", body: "down")
        } else {
          let fields = ["Cache-Control: \(directive)", "ETag: \"v1\"", "Last-Modified: Mon, 23 Nov 2026 10:00:00 GMT"]
          try connection.answer("200 OK", fields, body: "own")
        }
      }
    }
    let spare = try self.spare()
    let text = """
      routes:
        all:
          match: /*
          plugins: [{ cache: {} }]
          upstream: ORIGIN
          fallback: { when: [503], upstream: "\(spare.url)" }
      """
    try withGateway(text, to: origin) { gateway in
      #expect(try gateway.get("/a?b=c").text == "own")
      isDown.withLock { $0 = true }
      for _ in 0..<2 {
        let answer = try gateway.get("/a?b=c", ["X-Mine: 1", "If-None-Match: \"v1\""])
        #expect(answer.status == 200)
        #expect(answer.text == "spare")
        #expect(answer["X-Seen"] == "1")
        #expect(answer["Cache-Status"]?.contains("stored") == false)
      }
      isDown.withLock { $0 = false }
      #expect(try gateway.get("/a?b=c").text == "own")
      let asked = try spare.awaitRequests(2)
      #expect(asked.allSatisfy { $0.startLine == "GET /a?b=c HTTP/1.1" && $0["Host"] != nil })
      #expect(origin.requests.last?["If-None-Match"] == "\"v1\"")
    }
    spare.stop()
  }

  @Test func `decisions say what the cache did`() throws {
    let origin = try self.origin { _ in [] }
    var plan = CacheTests.plan()
    plan.callLog = #"{ path: "${DIRECTORY}/calls", decisions: true }"#
    try withGateway(CacheTests.configuration(origin.url), plan) { gateway in
      for _ in 0..<2 { #expect(try gateway.get("/a").text == "answer 1") }
      #expect(try gateway.get("/b", ["Cache-Control: only-if-cached"]).status == 504)
      let verdicts = try gateway.awaitRecords(3).map { record -> String in
        guard case .array(let list)? = record["decisions"] else { return "" }
        return list.map { "\($0["plugin"]?.string ?? "") \($0["verdict"]?.string ?? "")" }.joined(separator: ",")
      }
      #expect(verdicts.sorted() == ["cache answer", "cache pass", "cache refuse"])
    }
    origin.stop()
  }

  @Test func `clients of HTTP/2 share what is stored with those of HTTP/1.1`() throws {
    let origin = try self.origin { _ in [] }
    var plan = CacheTests.plan()
    plan.listeners = #"{ public: { address: "127.0.0.1:${PORT}", protocols: [http/1.1, h2c] } }"#
    try withGateway(CacheTests.configuration(origin.url), plan) { gateway in
      let (head, body) = (gateway.directory["head"], gateway.directory["body"])
      func curl(_ options: String) throws -> (head: String, body: String) {
        let url = "http://127.0.0.1:\(gateway.port)/a"
        #expect(
          Shell.run("curl -fsS --http2-prior-knowledge -H 'Host: a.example' -D \(head) -o \(body) \(options) \(url)")
            == 0)
        return (try gateway.directory.read("head").lowercased(), try gateway.directory.read("body"))
      }
      let first = try curl("")
      #expect(first.head.hasPrefix("http/2 200"))
      #expect(first.head.contains("cache-status: sluice; fwd=miss; stored"))
      #expect(first.body == "answer 1")
      for _ in 0..<3 {
        let hit = try curl("")
        #expect(hit.head.contains("cache-status: sluice; hit; ttl="))
        #expect(hit.head.contains("content-length: 8"))
        #expect(hit.body == "answer 1")
      }
      #expect(try gateway.get("/a").text == "answer 1")
      #expect(try curl("-X DELETE").body == "changed")
      #expect(try curl("").body == "answer 2")
      let records = try gateway.awaitRecords(7)
      #expect(
        records.compactMap { $0["cache"]?.string }.sorted() == ["bypass", "hit", "hit", "hit", "hit", "miss", "miss"])
    }
    #expect(origin.failures.isEmpty, "\(origin.failures)")
    origin.stop()
  }
}
