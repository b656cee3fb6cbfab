import GatewayTesting
import JSON
import Kernel
import Testing

/// Stored answers on their way: beside other plugins, to clients that pipeline or do not read, and while they change.
struct CacheDeliveryTests {
  private func gateway(
    _ origin: Origin, _ options: String = "", before: String = "", plugins: String = "",
    _ use: (RunningGateway) throws -> Void
  ) throws {
    let text = """
      admin: "127.0.0.1:${ADMIN_PORT}"
      \(before)
      routes:
        all:
          match: /*
          plugins: [{ cache: { \(options) } }\(plugins)]
          upstream: "\(origin.url)"
      """
    try withGateway(text) { gateway in try use(gateway) }
    origin.stop()
  }

  @Test func `a client that has what the upstream confirms gets 304`() throws {
    let origin = try Origin { connection in
      while let request = try connection.request() {
        let isHeld = request["If-None-Match"] == "\"v1\""
        let fields = ["Cache-Control: no-cache", "ETag: \"v1\""]
        if isHeld {
          try connection.send("HTTP/1.1 304 Not Modified\r\n" + fields.joined(separator: "\r\n") + "\r\n\r\n")
        } else {
          try connection.answer("200 OK", fields, body: "body")
        }
      }
    }
    try gateway(origin) { gateway throws in
      #expect(try gateway.get("/").text == "body")
      let held = try gateway.get("/", ["If-None-Match: \"v1\""])
      #expect(held.status == 304)
      #expect(held.body.isEmpty)
      let other = try gateway.get("/", ["If-None-Match: \"v0\""])
      #expect(other.status == 200)
      #expect(other.text == "body")
      #expect(origin.requests.map { $0["If-None-Match"] } == [nil, "\"v1\"", "\"v1\""])
    }
  }

  @Test(arguments: ["", ", stale-while-revalidate=600"])
  func `clients of every coding share an answer whose body hooks read`(extension: String) throws {
    let count = Lock(0)
    let origin = try Origin { connection in
      while let request = try connection.request() {
        let number = count.withLock { count -> Int in
          count += 1
          return count
        }
        var fields = [
          "Cache-Control: max-age=60\(`extension`)", "Vary: Accept-Encoding", "Content-Type: application/json",
          "ETag: \"\(number)\"",
        ]
        if !`extension`.isEmpty, number == 1 { fields.append("Age: 61") }
        if request["Accept-Encoding"] != nil { fields.append("Content-Encoding: gzip") }
        try connection.answer("200 OK", fields, body: "{\"email\":\"ann@example.com\",\"number\":\(number)}")
      }
    }
    let mask = ", { mask: { response: { paths: [body.email] }, with: redact } }"
    try gateway(origin, plugins: mask) { gateway throws in
      func number(_ fields: [String]) throws -> Int? {
        let answer = try gateway.get("/", fields)
        #expect(answer.status == 200)
        #expect(!answer.text.contains("ann@"))
        #expect(answer["Content-Encoding"] == nil)
        return try JSONValue(parsing: answer.text)["number"]?.integer
      }
      #expect(try number(["Accept-Encoding: gzip"]) == 1)
      #expect(try number(["Accept-Encoding: br, zstd"]) == 1)
      if `extension`.isEmpty {
        #expect(try number([]) == 1)
        return #expect(origin.requests.count == 1)
      }
      // What was fetched behind the client's back is as readable.
      _ = try origin.awaitRequests(2)
      let isNew = Deadline.usual.poll { (try? number(["Accept-Encoding: gzip"])) ?? 0 > 1 }
      #expect(isNew)
      for request in origin.requests { #expect(request["Accept-Encoding"] == nil) }
    }
  }

  @Test func `hits are answered in their order, as many as a client sends at once`() throws {
    let origin = try Origin { connection in
      while let request = try connection.request() {
        try connection.answer("200 OK", ["Cache-Control: max-age=60"], body: request.target)
      }
    }
    try gateway(origin) { gateway throws in
      let client = try gateway.connect()
      for target in ["/a", "/b"] { #expect(try client.get(target, host: "h").text == target) }
      let targets = (0..<3000).map { $0 % 3 == 0 ? "/b" : "/a" }
      try client.send(targets.map { "GET \($0) HTTP/1.1\r\nHost: h\r\n\r\n" }.joined())
      let answers = try targets.map { _ in try client.response().text }
      #expect(answers == targets)
      #expect(origin.requests.count == 2)
    }
  }

  @Test(arguments: ["max-age=60", "no-cache"])
  func `a client that does not read a stored answer is given up`(directive: String) throws {
    let body = String(repeating: "0123456789abcdef", count: 1 << 20)
    let origin = try Origin { connection in
      while let request = try connection.request() {
        if request["If-None-Match"] != nil {
          try connection.send("HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\n\r\n")
        } else {
          try connection.answer("200 OK", ["Cache-Control: \(directive)", "ETag: \"1\""], body: body)
        }
      }
    }
    let limits = "limits: { body_timeout: 1s }"
    try gateway(origin, "size: 128MiB, object: 32MiB", before: limits) { gateway throws in
      #expect(try gateway.get("/").body.count == body.utf8.count)
      let client = try gateway.connect()
      try client.send("GET / HTTP/1.1", ["Host: a.example"])
      let record = try gateway.awaitRecords(2)[1]
      #expect(record["reason"]?.string == "client_stalled")
      #expect(record["cache"]?.string == (directive == "no-cache" ? "revalidated" : "hit"))
      let sent = try #require(record["bytes_out"]?.integer)
      #expect(sent > 0)
      #expect(sent < body.utf8.count)
    }
  }

  @Test func `what was asked for before a change is not kept`() throws {
    let mayGo = Lock(false)
    let origin = try Origin { connection in
      while let request = try connection.request() {
        if request.method == "GET", request["X-Slow"] != nil {
          guard Deadline.usual.poll({ mayGo.withLock { $0 } }) else { throw WireError.timedOut }
        }
        let isOld = request["X-Slow"] != nil
        try connection.answer("200 OK", ["Cache-Control: max-age=60"], body: isOld ? "old" : "new")
      }
    }
    try gateway(origin) { gateway throws in
      let reader = try gateway.connect()
      try reader.send("GET /a HTTP/1.1", ["Host: a.example", "X-Slow: 1"])
      _ = try origin.awaitRequests(1)
      let writer = try gateway.connect()
      try writer.send("PUT /a HTTP/1.1", ["Host: a.example", "Content-Length: 0"])
      #expect(try writer.response().status == 200)
      mayGo.withLock { $0 = true }
      #expect(try reader.response().text == "old")
      #expect(try gateway.get("/a").text == "new")
      #expect(try gateway.get("/a").text == "new")
      #expect(origin.requests.count == 3)
    }
  }
}
