import GatewayTesting
import Testing

/// Bodies that plugins read whole, on their way through the running gateway.
struct HeldBodyTests {
  private static func configuration(_ url: String, _ options: String = "") -> String {
    """
    routes:
      all:
        match: /*
        plugins:
          - transform:
              request: { set: { body.route: "{{route}}" } }
              response: { remove: [body.secret] }
              \(options)
        upstream: "\(url)"
    """
  }

  private func exchange(
    _ origin: Origin, _ options: String = "", _ body: (RunningGateway) throws -> Void
  ) throws {
    try withGateway(Self.configuration(origin.url, options)) { gateway in try body(gateway) }
    #expect(origin.failures == [])
    origin.stop()
  }

  @Test func `an answer to HEAD tells no length that GET would not have`() throws {
    let origin = try Origin { connection in
      while let request = try connection.request() {
        let type = request.target == "/text" ? "text/plain" : "application/json"
        try connection.send("HTTP/1.1 200 OK\r\nContent-Type: \(type)\r\nContent-Length: 27\r\n\r\n")
      }
    }
    try exchange(origin) { gateway in
      let client = try gateway.connect()
      for (path, length) in [("/", nil), ("/text", "27")] {
        try client.send("HEAD \(path) HTTP/1.1", ["Host: a"])
        let answer = try client.response(to: "HEAD")
        #expect(answer.status == 200 && answer["Content-Length"] == length, "\(path)")
      }
    }
  }

  @Test func `a body is edited both ways, however it is framed and cut`() throws {
    let origin = try Origin { connection in
      while try connection.request() != nil {
        try connection.send(
          "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nETag: \"v1\"\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in ["{\"id\":7,\"sec", "ret\":{\"k\":1},\"n\":1.0", "}"] {
          try connection.send(String(piece.utf8.count, radix: 16) + "\r\n" + piece + "\r\n")
        }
        try connection.send("0\r\n\r\n")
      }
    }
    try exchange(origin) { gateway in
      let head = "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Type: application/json\r\n"
      let messages = [
        head + "Content-Length: 9\r\n\r\n{\"a\":1.0}",
        head + "Transfer-Encoding: chunked\r\n\r\n4\r\n{\"a\"\r\n5\r\n:1.0}\r\n0\r\nX-T: 1\r\n\r\n",
      ]
      let client = try gateway.connect()
      var count = 0
      for message in messages {
        let bytes = Array(message.utf8)
        for place in stride(from: 1, to: bytes.count, by: 7) {
          try client.send(bytes, splitAt: [place], pause: 0)
          let response = try client.response()
          #expect(response.status == 200)
          #expect(response.text == #"{"id":7,"n":1.0}"#)
          #expect(response["Content-Length"] == "16")
          #expect(response["ETag"] == "W/\"v1\"")
          count += 1
          let request = try origin.awaitRequests(count)[count - 1]
          #expect(request.text == #"{"a":1.0,"route":"all"}"#)
          #expect(request["Content-Length"] == "23")
          #expect(request["Transfer-Encoding"] == nil)
        }
      }
    }
  }

  @Test func `two requests in one read are answered one after the other`() throws {
    let origin = try Origin.ok("{\"secret\":1}", fields: ["Content-Type: application/json"])
    try exchange(origin) { gateway in
      let one = "POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
      let client = try gateway.connect()
      try client.send(one + one)
      #expect(try client.response().text == "{}")
      #expect(try client.response().text == "{}")
      #expect(try origin.awaitRequests(2).map(\.text) == [#"{"route":"all"}"#, #"{"route":"all"}"#])
    }
  }

  @Test func `a client that waits to be told so sends its body`() throws {
    let origin = try Origin.ok("ok")
    try exchange(origin) { gateway in
      let client = try gateway.connect()
      try client.send("POST / HTTP/1.1", ["Host: a.example", "Content-Length: 2", "Expect: 100-continue"])
      #expect(try client.response().status == 100)
      try client.send("{}")
      #expect(try client.response().text == "ok")
      let request = try origin.awaitRequests(1)[0]
      #expect(request["Expect"] == nil)
      #expect(request.text == #"{"route":"all"}"#)
    }
  }

  @Test(arguments: ["Content-Length: 33", "Transfer-Encoding: chunked"])
  func `a longer request than may be held is refused and never forwarded`(framing: String) throws {
    let origin = try Origin.ok("ok")
    try exchange(origin, "limit: 32B") { gateway in
      let client = try gateway.connect()
      try client.send("POST / HTTP/1.1", ["Host: a.example", framing])
      if framing.hasSuffix("chunked") { try client.send("21\r\n") }
      try client.send(String(repeating: " ", count: 33))
      #expect(try client.response().status == 413)
      #expect(origin.requests.isEmpty)
    }
  }

  @Test func `bad JSON is refused with its offset`() throws {
    let origin = try Origin.ok("ok")
    try exchange(origin) { gateway in
      let client = try gateway.connect()
      try client.send("POST / HTTP/1.1", ["Host: a.example", "Content-Length: 5"], body: "{\"a\"}")
      let response = try client.response()
      #expect(response.status == 400)
      #expect(response["Content-Type"] == "application/problem+json")
      #expect(response.text.contains(#""code":"malformed_json""#))
      #expect(response.text.contains(#""offset":4,"mistake":"this byte cannot stand here"}"#))
      // The connection goes on: the body was read to its end.
      try client.send("POST / HTTP/1.1", ["Host: a.example", "Content-Length: 2"], body: "{}")
      #expect(try client.response().text == "ok")
      #expect(try gateway.awaitRecords(1)[0]["reason"]?.string == "malformed_json")
    }
  }

  @Test(arguments: [("pass", 200), ("refuse", 502)])
  func `an answer that is too long or no JSON is passed or refused`(unreadable: String, status: Int) throws {
    let long = #"{"secret":""# + String(repeating: "x", count: 100_000) + #""}"#
    let bodies = [long, #"{"secret":"#]
    for chunked in [false, true] {
      for body in bodies {
        let origin = try Origin { connection in
          while try connection.request() != nil {
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            if chunked {
              let size = String(body.utf8.count, radix: 16)
              try connection.send(head + "Transfer-Encoding: chunked\r\n\r\n\(size)\r\n\(body)\r\n0\r\n\r\n")
            } else {
              try connection.send(head + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
            }
          }
        }
        try withGateway(Self.configuration(origin.url, "limit: 1KiB\n          unreadable: \(unreadable)")) { gateway in
          let response = try gateway.get("/")
          #expect(response.status == status)
          if status == 200 { #expect(response.text == body) } else { #expect(!response.text.contains("secret")) }
        }
        origin.stop()
      }
    }
  }

  @Test func `bodies in a content coding are decoded, and unknown codings refused`() throws {
    // gzip of {"a":1}
    let gzip: [UInt8] = [
      0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xab, 0x56, 0x4a, 0x54, 0xb2, 0x32,
      0xac, 0x05, 0x00, 0xaf, 0xac, 0x1b, 0x56, 0x07, 0x00, 0x00, 0x00,
    ]
    let origin = try Origin.ok("ok")
    try exchange(origin) { gateway in
      let client = try gateway.connect()
      try client.send(
        "POST / HTTP/1.1", ["Host: a.example", "Content-Encoding: gzip", "Content-Length: \(gzip.count)"])
      try client.send(gzip)
      #expect(try client.response().text == "ok")
      let request = try origin.awaitRequests(1)[0]
      #expect(request.text == #"{"a":1,"route":"all"}"#)
      #expect(request["Content-Encoding"] == nil)
      try client.send("POST / HTTP/1.1", ["Host: a.example", "Content-Encoding: br", "Content-Length: 2"], body: "{}")
      let refused = try client.response()
      #expect(refused.status == 415)
      #expect(refused.text.contains("unknown_content_coding"))
    }
  }

  @Test func `a chain of validate, mask and transform works in the order written, and the log tells of answers`() throws
  {
    let origin = try Origin.ok(#"{"id":"seven"}"#, fields: ["Content-Type: application/json"])
    let text = """
      routes:
        widget:
          match: POST /v2/feedback
          plugins:
            - validate:
                request: { schema: { required: [text], properties: { text: { type: string } } } }
                response: { schema: { properties: { id: { type: integer } } } }
            - mask: { request: { paths: [body.email], detect: [card] }, with: { pseudonym: "${HOME:-x}" } }
            - transform: { request: { set: { body.source: widget }, remove: [body.debug] } }
          upstream: "\(origin.url)"
      """
    try withGateway(text) { gateway in
      let client = try gateway.connect()
      let good = #"{"text":"4111111111111111","email":"a@b.de","debug":1}"#
      try client.send("POST /v2/feedback HTTP/1.1", ["Host: a", "Content-Length: \(good.utf8.count)"], body: good)
      #expect(try client.response().text == #"{"id":"seven"}"#)
      let sent = try origin.awaitRequests(1)[0].text
      let shape = /{"text":"card_[0-9a-f]{32}","email":"email_[0-9a-f]{32}","source":"widget"}/
      #expect(sent.wholeMatch(of: shape) != nil, "\(sent)")
      try client.send("POST /v2/feedback HTTP/1.1", ["Host: a", "Content-Length: 2"], body: "{}")
      let refused = try client.response()
      #expect(refused.status == 422)
      #expect(
        refused.text.contains(#""violations":[{"pointer":"","keyword":"required","detail":"`text` is missing"}]}"#))
      let records = try gateway.awaitRecords(2)
      #expect(records[0]["response_violations"]?.integer == 1)
      #expect(records[1]["reason"]?.string == "schema_violated")
    }
    origin.stop()
  }
}
