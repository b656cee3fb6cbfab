// long: one table of what passes and what does not, and the two stories of the official SDK
import GatewayTesting
import Kernel
import Testing

/// Servers of the Model Context Protocol behind the gateway: with the official SDK at both ends, and with what it never sends.
struct MCPTests {
  private static let python = ProcessEnvironment.value("SLUICE_TEST_PYTHON")
  private static let script =
    #filePath.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/mcp_peer.py"

  private static func configuration(_ url: String, _ more: String = "") -> String {
    """
    admin: "127.0.0.1:${ADMIN_PORT}"
    consumers:
      one: { api_keys: ["sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"] }
      two:
        groups: [staff]
        api_keys: ["sha256:d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa"]
    routes:
      tools:
        match: /mcp/*
        plugins: [{ api_key: { header: X-API-Key } }]
        mcp:
          origins: ["https://app.example.com"]
          servers:
            tickets: { url: "\(url)", allow: ["find_*", slow_search], groups: { staff: [close_ticket] }\(more) }
    """
  }

  @Test(.enabled(if: python != nil, "`make test` makes the Python environment"))
  func `the official SDK calls its own server, each caller the tools that are theirs`() throws {  // long: one story
    let python = try #require(Self.python)
    let directory = try TemporaryDirectory()
    let port = Ports.free()
    let server = try ChildProcess(
      [python, Self.script, "serve", "\(port)"], output: directory["server"], errors: directory["server"])
    defer { server.kill() }
    #expect(Deadline.usual.poll { (try? directory.read("server"))?.contains("Uvicorn running") == true })
    try withGateway(Self.configuration("http://127.0.0.1:\(port)/mcp")) { gateway in
      let url = "http://127.0.0.1:\(gateway.port)/mcp/tickets"
      for (mode, version) in [("auto", "2026-07-28"), ("legacy", "2025-11-25")] {
        for (key, mayClose) in [("secret", false), ("other", true)] {
          let output = gateway.directory["client-\(mode)-\(key)"]
          let client = try ChildProcess(
            [python, Self.script, "call", url, key, mode], output: output,
            errors: gateway.directory["errors"])
          let exit = try client.wait(until: .after(seconds: 60))
          #expect(exit == .exited(0), "\((try? gateway.directory.read("errors")) ?? "")")
          let said = try JSONValue(parsing: gateway.directory.read("client-\(mode)-\(key)"))
          #expect(said["version"]?.string == version)
          #expect(said["find_ticket"]?.string == "ticket 7" && said["slow_search"]?.string == "found printer")
          #expect(said["prompt"]?.string == "Dear Ann")
          let tools = (mayClose ? ["close_ticket"] : []) + ["find_ticket", "slow_search"]
          guard case .array(let listed)? = said["tools"] else {
            Issue.record("no list")
            continue
          }
          #expect(listed.compactMap(\.string) == tools)
          let closed = said["close_ticket"]?.string ?? ""
          #expect(mayClose ? closed == "closed 7" : closed.contains("no such tool"), "\(closed)")
        }
      }
      let records = try gateway.awaitRecords(20)
      #expect(records.contains { $0["mcp_method"]?.string == "tools/call" && $0["mcp_name"]?.string == "find_ticket" })
      let refused = records.first { $0["reason"]?.string == "tool_not_allowed" }
      #expect(refused?["mcp_name"]?.string == "close_ticket" && refused?["consumer"]?.string == "one")
      #expect(records.allSatisfy { $0["route"]?.string == "tools/tickets" })
      let metrics = try gateway.admin("/metrics").text
      #expect(
        metrics.contains(
          #"sluice_mcp_calls_total{server="tickets",method="tools/call",name="close_ticket",status="403"} 2"#)
      )
    }
  }

  @Test func `calls of a session go to the process that began it, under its own id`() throws {
    let origins = try ["s-one", "s-two"].map { id in
      try Origin { connection in
        while try connection.request() != nil {
          try connection.answer("200 OK", ["Mcp-Session-Id: \(id)"], body: #"{"jsonrpc":"2.0","id":7,"result":{}}"#)
        }
      }
    }
    defer { for origin in origins { origin.stop() } }
    let replica = ", replicas: [\"\(origins[1].url)/mcp\"]"
    try withGateway(Self.configuration("\(origins[0].url)/mcp", replica)) { gateway in
      var sessions: Set<String> = []
      let begin = #"{"jsonrpc":"2.0","id":1,"method":"initialize"}"#
      for _ in 1...16 { sessions.insert(try #require(try post(gateway, begin)["Mcp-Session-Id"])) }
      #expect(sessions.count == 2 && sessions.allSatisfy { $0.contains(".sluice-") })
      for session in sessions {
        for _ in 1...6 {
          #expect(try post(gateway, Self.call, ["Mcp-Session-Id: \(session)"])["Mcp-Session-Id"] == session)
        }
        // Of an address that is no more.
        let lost = "Mcp-Session-Id: \(session.dropLast(8))00000000"
        #expect(try post(gateway, Self.call, [lost]).status == 200)
      }
      for (origin, id) in zip(origins, ["s-one", "s-two"]) {
        let asked = origin.requests.compactMap { $0["Mcp-Session-Id"] }.filter { !$0.contains(".sluice-") }
        #expect(asked == Array(repeating: id, count: 6))
      }
    }
  }

  @Test(.enabled(if: python != nil, "`make test` makes the Python environment"))
  func `the official SDK keeps its sessions among two processes of its server`() throws {
    let python = try #require(Self.python)
    let directory = try TemporaryDirectory()
    let ports = [Ports.free(), Ports.free()]
    var servers: [ChildProcess] = []
    defer { for server in servers { server.kill() } }
    for port in ports {
      servers.append(
        try ChildProcess(
          [python, Self.script, "serve", "\(port)"], output: directory["\(port)"], errors: directory["\(port)"]))
    }
    #expect(
      Deadline.usual.poll {
        ports.allSatisfy { (try? directory.read("\($0)"))?.contains("Uvicorn running") == true }
      })
    let replica = ", replicas: [\"http://127.0.0.1:\(ports[1])/mcp\"]"
    try withGateway(Self.configuration("http://127.0.0.1:\(ports[0])/mcp", replica)) { gateway in
      for number in 1...4 {
        let client = try ChildProcess(
          [python, Self.script, "call", "http://127.0.0.1:\(gateway.port)/mcp/tickets", "other", "legacy"],
          output: gateway.directory["client-\(number)"], errors: gateway.directory["errors"])
        let exit = try client.wait(until: .after(seconds: 60))
        #expect(exit == .exited(0), "\((try? gateway.directory.read("errors")) ?? "")")
        let said = try JSONValue(parsing: gateway.directory.read("client-\(number)"))
        #expect(said["find_ticket"]?.string == "ticket 7" && said["prompt"]?.string == "Dear Ann")
      }
      for port in ports { #expect(try directory.read("\(port)").contains("POST /mcp"), "\(port)") }
    }
  }

  /// A server that says what a test says, and how.
  private func scripted(_ fields: [String], _ body: String) throws -> Origin {
    try Origin { connection in
      while try connection.request() != nil { try connection.answer("200 OK", fields, body: body) }
    }
  }

  private func post(
    _ gateway: RunningGateway, _ body: String, _ fields: [String] = [], path: String = "/mcp/tickets"
  ) throws -> WireMessage {
    let client = try gateway.connect()
    try client.send(
      "POST \(path) HTTP/1.1", ["Host: a", "X-API-Key: secret", "Content-Length: \(body.utf8.count)"] + fields,
      body: body)
    return try client.response(to: "POST")
  }

  private static let call = #"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"find_ticket"}}"#

  @Test func `the server is called as it knows itself, at its path, without the page's origin`() throws {
    let origin = try scripted(["Mcp-Session-Id: s1"], #"{"jsonrpc":"2.0","id":7,"result":{}}"#)
    defer { origin.stop() }
    try withGateway(Self.configuration("\(origin.url)/deep/mcp?x=1")) { gateway in
      let fields = ["Origin: https://app.example.com", "Mcp-Session-Id: s1", "MCP-Protocol-Version: 2025-11-25"]
      let answer = try post(gateway, Self.call, fields)
      #expect(answer.status == 200 && answer["Mcp-Session-Id"] == "s1")
      let sent = try origin.awaitRequests(1)[0]
      #expect(sent.target == "/deep/mcp?x=1" && sent["Host"] == "127.0.0.1:\(origin.port)")
      #expect(sent["Origin"] == nil && sent["X-API-Key"] == nil)
      #expect(sent["Mcp-Session-Id"] == "s1" && sent["MCP-Protocol-Version"] == "2025-11-25")
      #expect(sent.text == Self.call)
    }
  }

  @Test(arguments: [
    ("nonsense", [], 400, -32700, "null"), ("[]", [], 400, -32700, "null"), ("{\"id\":1}", [], 400, -32700, "null"),
    (#"{"jsonrpc":"2.0","id":1,"method":5}"#, [], 400, -32700, "null"),
    (call, ["Mcp-Method: tools/list"], 400, -32020, "7"), (call, ["Mcp-Name: other"], 400, -32020, "7"),
    (call, ["Mcp-Method: tools/call", "Mcp-Name: =?base64?ZmluZF90aWNrZXQ=?="], 200, 0, ""),
    (#"{"jsonrpc":"2.0","id":"x","method":"tools/call","params":{"name":"close_ticket"}}"#, [], 403, -32602, "\"x\""),
    (#"{"jsonrpc":"2.0","id":"x","method":"tools/call"}"#, [], 403, -32602, "\"x\""),
    (
      #"[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"close_ticket"}}]"#,
      [], 403, -32602, "2"
    ),
    (call, ["Origin: https://evil.example"], 403, -32600, "null"), (call, ["Origin: null"], 403, -32600, "null"),
    (call, ["Origin: http://a"], 200, 0, ""),
  ])
  func `what may not pass is an error of JSON-RPC, with its id where it is known`(
    _ body: String, _ fields: [String], _ status: Int, _ code: Int, _ id: String
  ) throws {
    let origin = try scripted([], #"{"jsonrpc":"2.0","id":7,"result":{}}"#)
    defer { origin.stop() }
    try withGateway(Self.configuration(origin.url)) { gateway in
      let answer = try post(gateway, body, fields)
      #expect(answer.status == status, "\(answer.text)")
      #expect(origin.requests.count == (status == 200 ? 1 : 0))
      if status != 200 {
        #expect(
          answer.text.hasPrefix(#"{"jsonrpc":"2.0","id":\#(id),"error":{"code":\#(code),"message":""#), "\(answer.text)"
        )
      }
    }
  }

  @Test func `other paths, methods and callers are refused in the same way`() throws {
    let origin = try scripted([], "{}")
    defer { origin.stop() }
    try withGateway(Self.configuration(origin.url)) { gateway in
      let unknown = try post(gateway, Self.call, path: "/mcp/nothing")
      #expect(unknown.status == 404 && unknown.text.hasPrefix(#"{"jsonrpc":"2.0","id":null,"error":"#))
      let client = try gateway.connect()
      try client.send("PUT /mcp/tickets HTTP/1.1", ["Host: a", "X-API-Key: secret", "Content-Length: 0"])
      let put = try client.response(to: "PUT")
      #expect(put.status == 405 && put["Allow"] == "POST, GET, DELETE")
      let nobody = try gateway.get("/mcp/tickets")
      #expect(nobody.status == 401 && nobody.text.contains(#""jsonrpc":"2.0""#))
      let long = try post(gateway, String(repeating: " ", count: 5 << 20))
      #expect(long.status == 413)
      #expect(origin.requests.isEmpty)
    }
  }

  /// A list of three tools, as servers send it.
  private static let list =
    #"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"find_ticket","x":{"name":"y"}},{"name":"close_ticket"},{"name":"slow_search"}],"nextCursor":"c"}}"#
  private static let shown =
    #"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"find_ticket","x":{"name":"y"}},{"name":"slow_search"}],"nextCursor":"c"}}"#

  @Test(arguments: [
    (["Content-Type: application/json"], list, shown),
    (["Content-Type: text/event-stream"], "id: 5\r\nevent: message\r\ndata: \(list)\r\n\r\n", shown),
    (
      ["Content-Type: text/event-stream"], ": hi\n\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"x\"}\n\ndata: \(list)\n\n",
      shown
    ),
    (["Content-Type: application/json"], "[\(list),\(list)]", "[\(shown),\(shown)]"),
  ])
  func `a list has only the caller's tools, however it comes`(_ fields: [String], _ body: String, _ shown: String)
    throws
  {
    let origin = try scripted(fields, body)
    defer { origin.stop() }
    try withGateway(Self.configuration(origin.url)) { gateway in
      let answer = try post(gateway, #"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#)
      #expect(answer.status == 200 && answer.text.contains(shown), "\(answer.text)")
      #expect(!answer.text.contains("close_ticket"))
      if body.hasPrefix("id: 5") { #expect(answer.text.hasPrefix("id: 5\nevent: message\ndata: {")) }
    }
  }

  @Test func `a list that cannot be read is not passed on`() throws {
    let origin = try scripted(["Content-Type: application/json"], #"{"result":{"tools":[{"name":"close_ticket"}"#)
    defer { origin.stop() }
    try withGateway(Self.configuration(origin.url)) { gateway in
      let answer = try post(gateway, #"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#)
      #expect(answer.status == 502 && !answer.text.contains("close_ticket"))
      #expect(answer.text.hasPrefix(#"{"jsonrpc":"2.0","id":1,"error":{"code":-32603"#))
    }
  }

  @Test func `events of a call pass one by one`() throws {
    let arrived = Lock(0)
    let origin = try Origin { connection in
      guard try connection.request() != nil else { return }
      try connection.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
      for number in 1...5 {
        try connection.send("data: {\"progress\":\(number)}\n\n")
        guard Deadline.usual.poll({ arrived.withLock { $0 } == number }) else { throw WireError.timedOut }
      }
    }
    defer { origin.stop() }
    try withGateway(Self.configuration(origin.url)) { gateway in
      let client = try gateway.connect()
      try client.send(
        "POST /mcp/tickets HTTP/1.1", ["Host: a", "X-API-Key: secret", "Content-Length: \(Self.call.utf8.count)"],
        body: Self.call)
      while try !client.reader.line().isEmpty {}
      for number in 1...5 {
        var said = ""
        while !said.contains("\"progress\":\(number)") {
          let size = try #require(Int(try client.reader.line(), radix: 16))
          said = String(decoding: try client.reader.take(size + 2), as: UTF8.self)
        }
        arrived.withLock { $0 = number }
      }
    }
    #expect(origin.failures.isEmpty, "\(origin.failures)")
  }

  @Test(arguments: [
    ("match: /mcp", "servers: { a: \"http://127.0.0.1:1/mcp\" }", "a path that ends in /*"),
    ("match: /mcp/*", "servers: {}", "has no server"), ("match: /mcp/*", "servers: { a: nonsense }", "https://HOST"),
    ("match: /mcp/*", "servers: { a: { url: \"https://x/mcp\", alow: [] } }", "allow"),
    ("match: /mcp/*", "servers: { a: { url: \"https://x/mcp\", replicas: [\"https://y/\"] } }", "another path"),
  ])
  func `mistakes are told`(_ match: String, _ servers: String, _ said: String) throws {
    let directory = try TemporaryDirectory()
    try directory.write(
      "listeners: { a: \"127.0.0.1:0\" }\ncall_log: off\nroutes: { t: { \(match), mcp: { \(servers) } } }", to: "g.conf"
    )
    let check = try TLSFixture.run("'\(RunningGateway.program)' check -c '\(directory["g.conf"])' 2>&1")
    #expect(check.status != 0 && check.output.contains(said), "\(check.output)")
  }
}
