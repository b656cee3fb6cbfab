import GatewayTesting
import Testing

/// gRPC calls as they look in HTTP/1.1, which is how every transport shows them to the engine.
struct GRPCTests {
  private let head = ["Host: a.example", "Content-Type: application/grpc+proto", "TE: trailers"]
  private let admin = "admin: \"127.0.0.1:${ADMIN_PORT}\"\n"

  @Test func `trailers pass both ways, and the status in them is logged and counted`() throws {
    let origin = try Origin { connection in
      while let request = try connection.request() {
        #expect(request["TE"] == "trailers")
        #expect(request.trailers.map(\.name) == ["X-Checksum"])
        try connection.send(
          "HTTP/1.1 200 OK\r\nContent-Type: application/grpc\r\nTransfer-Encoding: chunked\r\n\r\n"
            + "5\r\n\0\0\0\0\0\r\n0\r\ngrpc-status: 5\r\ngrpc-message: gone\r\n\r\n")
      }
    }
    try withGateway(admin + "routes: { all: { match: POST /*, upstream: ORIGIN } }", to: origin) { gateway in
      let client = try gateway.connect()
      for _ in 1...2 {
        try client.send(
          "POST /pkg.Service/Method HTTP/1.1", head + ["Transfer-Encoding: chunked"],
          body: "3\r\nabc\r\n0\r\nX-Checksum: 7\r\n\r\n")
        let response = try client.response()
        #expect(response.trailers.map(\.name) == ["grpc-status", "grpc-message"])
        #expect(response.trailers.first?.value == "5")
      }
      let records = try gateway.awaitRecords(2)
      #expect(records.map { $0["grpc_status"]?.integer } == [5, 5])
      #expect(records.map { $0["status"]?.integer } == [200, 200])
      let page = try gateway.admin("/metrics").text
      #expect(page.contains(#"rpc_server_duration_seconds_count{rpc_system="grpc",rpc_grpc_status_code="5","#))
    }
    #expect(origin.failures.isEmpty, "\(origin.failures)")
  }

  @Test func `the status of an answer without a message stands in its head`() throws {
    let origin = try Origin { connection in
      while try connection.request() != nil {
        try connection.answer("200 OK", ["Content-Type: application/grpc", "grpc-status: 12"])
      }
    }
    try withGateway(to: origin) { gateway in
      let client = try gateway.connect()
      try client.send("POST /s/m HTTP/1.1", head + ["Content-Length: 0"])
      #expect(try client.response()["grpc-status"] == "12")
      #expect(try gateway.awaitRecords(1)[0]["grpc_status"]?.integer == 12)
    }
  }

  @Test func `an answer without a status is unknown, as it is to its caller`() throws {
    let origin = try Origin { connection in
      while try connection.request() != nil { try connection.answer("200 OK", ["Content-Type: application/grpc"]) }
    }
    try withGateway(to: origin) { gateway in
      let client = try gateway.connect()
      try client.send("POST /s/m HTTP/1.1", head + ["Content-Length: 0"])
      #expect(try client.response().status == 200)
      #expect(try gateway.awaitRecords(1)[0]["grpc_status"]?.integer == 2)
    }
  }

  @Test func `refusals are statuses to those who speak gRPC, and to nobody else`() throws {
    let text = """
      limits: { request_body: 4B }
      routes: { one: { match: POST /s/m, upstream: "http://127.0.0.1:\(Ports.free())" } }
      """
    try withGateway(text) { gateway in
      func call(_ line: String, _ fields: [String], body: String = "") throws -> WireMessage {
        let client = try gateway.connect()
        try client.send(line, fields + ["Content-Length: \(body.utf8.count)"], body: body)
        return try client.response()
      }
      let unknown = try call("POST /s/other HTTP/1.1", head)
      #expect(unknown.status == 200)
      #expect(unknown["Content-Type"] == "application/grpc")
      #expect(unknown["grpc-status"] == "12")
      #expect(unknown["grpc-message"] == "No route matches this host and path.")
      #expect(unknown["X-Fault"] == "client")
      #expect(unknown.body.isEmpty)
      #expect(try call("POST /s/m HTTP/1.1", head)["grpc-status"] == "14")
      #expect(try call("POST /s/m HTTP/1.1", head, body: "12345")["grpc-status"] == "8")
      let web = try call("POST /s/m HTTP/1.1", ["Host: a", "Content-Type: application/grpc-web-text"])
      #expect(web["Content-Type"] == "application/grpc-web-text+proto")
      #expect(web["grpc-status"] == "14")
      #expect(try call("POST /s/m HTTP/1.1", ["Host: a", "Content-Type: application/grpcish"]).status == 503)
      let records = try gateway.awaitRecords(5)
      #expect(records.map { $0["grpc_status"]?.integer } == [12, 14, 8, 14, nil])
      #expect(records[0]["reason"]?.string == "no_route")
    }
  }

  @Test func `the caller's deadline bounds the call, also while a stream is under way`() throws {
    let origin = try Origin { connection in
      guard let request = try connection.request() else { return }
      if request.target == "/s/stream" {
        try connection.send(
          "HTTP/1.1 200 OK\r\nContent-Type: application/grpc\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n\0\0\0\0\0\r\n")
      }
      connection.awaitEnd()
    }
    try withGateway(to: origin) { gateway in
      let silent = try gateway.connect()
      try silent.send("POST /s/silent HTTP/1.1", head + ["Content-Length: 0", "grpc-timeout: 200m"])
      #expect(try silent.response()["grpc-status"] == "4")
      let stream = try gateway.connect()
      try stream.send("POST /s/stream HTTP/1.1", head + ["Content-Length: 0", "grpc-timeout: 300m"])
      #expect(throws: WireError.self) { try stream.response() }
      let records = try gateway.awaitRecords(2)
      #expect(records.map { $0["reason"]?.string } == ["total_timeout", "total_timeout"])
      #expect(records.map { $0["grpc_status"]?.integer } == [4, 4])
      #expect(origin.awaitNoConnection())
    }
  }
}
