import Admin
import GatewayTesting
import Kernel
import Testing

/// The admin port of a running gateway, as curl sees it.
struct AdminPortTests {
  private static let routes = """
    admin: { address: "127.0.0.1:${ADMIN_PORT}", token: "token-of-the-test" }
    routes:
      one: { match: "GET /one/{id}", respond: { status: 200, body: hello } }
      two: { match: /two, redirect: /one/2 }
      far: { match: /far/*, upstream: "http://127.0.0.1:1" }
    """
  private static let token = "Authorization: Bearer token-of-the-test"

  private func ask(
    _ gateway: RunningGateway, _ path: String, method: String = "GET", _ fields: [String] = []
  ) throws -> WireMessage {
    let client = try Client(port: gateway.adminPort)
    try client.send("\(method) \(path) HTTP/1.1", ["Host: localhost:\(gateway.adminPort)"] + fields)
    return try client.response(to: method)
  }

  private func elements(of list: JSONValue?) -> [JSONValue] {
    if case .array(let elements) = list { elements } else { [] }
  }

  private func json(_ message: WireMessage) throws -> JSONValue { try JSONValue(parsing: message.text) }

  @Test(arguments: AdminEndpoint.allCases)
  func `every path answers, and HEAD as GET`(_ endpoint: AdminEndpoint) throws {
    try withGateway(Self.routes) { gateway in
      let path = endpoint.rawValue + (endpoint == .explain ? "?url=/one/7" : "")
      let methods = endpoint.methods.split(separator: ", ").map(String.init)
      for method in methods where method != "POST" {
        let answer = try ask(gateway, path, method: method)
        #expect(answer.status == 200)
        #expect(answer["Cache-Control"] == "no-store")
      }
      let wrong = try ask(gateway, path, method: "DELETE")
      #expect(wrong.status == 405)
      #expect(wrong["Allow"] == endpoint.methods)
      #expect(wrong["Content-Type"] == "application/problem+json")
    }
  }

  @Test func `an unknown path is 404`() throws {
    try withGateway(Self.routes) { gateway in
      let answer = try ask(gateway, "/api/v2/status")
      #expect(answer.status == 404)
      #expect(try json(answer)["code"]?.string == "not_found")
    }
  }

  @Test func `the status tells what runs`() throws {
    try withGateway(Self.routes) { gateway in
      let status = try json(ask(gateway, "/api/v1/status"))
      #expect(status["state"]?.string == "serving")
      #expect(status["routes"]?.integer == 3)
      #expect(status["pid"]?.integer == Int(gateway.process.id))
      #expect(status["configuration"]?["generation"]?.integer == 1)
      #expect(status["configuration"]?["file_is_newer"] == .flag(false))
    }
  }

  @Test func `the configuration hides its secrets`() throws {
    try withGateway(Self.routes) { gateway in
      let answer = try ask(gateway, "/api/v1/config")
      #expect(!answer.text.contains("token-of-the-test"))
      let admin = try #require(try json(answer)["settings"]?["admin"])
      #expect(admin["token"]?.string == "(secret)")
    }
  }

  @Test func `routes and upstreams are listed`() throws {
    try withGateway(Self.routes) { gateway in
      let routes = try json(ask(gateway, "/api/v1/routes?limit=2&offset=1"))
      #expect(routes["total"]?.integer == 3)
      #expect(elements(of: routes["routes"]).map { $0["name"]?.string } == ["two", "far"])
      let upstreams = try ask(gateway, "/api/v1/upstreams").text
      #expect(upstreams.contains(#""health":"healthy""#))
      #expect(upstreams.contains(#""in_flight":0"#))
      #expect(try ask(gateway, "/api/v1/routes?limit=x").status == 400)
    }
  }

  @Test func `a request is explained under what runs`() throws {
    try withGateway(Self.routes) { gateway in
      let explanation = try json(ask(gateway, "/api/v1/explain?method=GET&url=%2Fone%2F7&header=X-A:%20b"))
      #expect(explanation["route"]?["name"]?.string == "one")
      #expect(explanation["route"]?["parameters"]?["id"]?.string == "7")
      #expect(try ask(gateway, "/api/v1/explain").status == 400)
      #expect(try ask(gateway, "/api/v1/explain?url=/&header=nonsense").status == 400)
    }
  }

  @Test func `metrics count what happened, in both formats`() throws {
    try withGateway(Self.routes) { gateway in
      #expect(try gateway.get("/one/1").status == 200)
      let page = try ask(gateway, "/metrics")
      #expect(page["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8")
      #expect(page.text.contains(#"http_route="/one/{id}""#))
      #expect(page.text.contains("sluice_config_last_reload_succeeded 1"))
      #expect(page.text.contains(#"sluice_target_healthy{upstream="http://127.0.0.1:1""#))
      let open = try ask(gateway, "/metrics", ["Accept: application/openmetrics-text; version=1.0.0"])
      #expect(open["Content-Type"]?.hasPrefix("application/openmetrics-text") == true)
      #expect(open.text.hasSuffix("# EOF\n"))
      let types = [
        "application/openmetrics-text;q=0, text/plain", "text/plain, application/openmetrics-text; q=0.5", "*/*",
      ]
      for accept in types {
        let plain = try ask(gateway, "/metrics", ["Accept: \(accept)"])
        #expect(plain["Content-Type"]?.hasPrefix("text/plain") == true, "\(accept)")
      }
      let both = try ask(gateway, "/metrics", ["Accept: text/plain;q=0.3,application/openmetrics-text;q=0.8"])
      #expect(both["Content-Type"]?.hasPrefix("application/openmetrics-text") == true)
    }
  }

  @Test func `a reload takes the file over, and a rollback brings back what was`() throws {
    try withGateway(Self.routes) { gateway in
      try rewrite(gateway) { $0.replacing("body: hello", with: "body: goodbye") }
      let ready = try ask(gateway, "/readyz")
      #expect(ready.status == 200)
      #expect(ready.text.contains("is not what runs"))
      #expect(try ask(gateway, "/api/v1/reload", method: "POST").status == 401)
      let reload = try ask(gateway, "/api/v1/reload", method: "POST", [Self.token])
      #expect(reload.status == 200)
      #expect(try json(reload)["change_count"]?.integer == 1)
      #expect(try gateway.get("/one/1").text == "goodbye")
      #expect(try !ask(gateway, "/readyz").text.contains("is not what runs"))
      let back = try ask(gateway, "/api/v1/rollback", method: "POST", [Self.token])
      #expect(back.status == 200)
      #expect(try gateway.get("/one/1").text == "hello")
      #expect(try ask(gateway, "/readyz").text.contains("is not what runs"))
    }
  }

  @Test func `a rollback needs something to go back to`() throws {
    try withGateway(Self.routes) { gateway in
      let answer = try ask(gateway, "/api/v1/rollback", method: "POST", [Self.token])
      #expect(answer.status == 409)
      #expect(try json(answer)["failure"]?.string == "there is no configuration before this one")
    }
  }

  @Test func `a bad file leaves everything as it is and says why`() throws {
    try withGateway(Self.routes) { gateway in
      try rewrite(gateway) { $0.replacing("respond:", with: "respnod:") }
      let answer = try ask(gateway, "/api/v1/reload", method: "POST", [Self.token])
      #expect(answer.status == 422)
      #expect(answer.text.contains("unknown key `respnod`"))
      #expect(try gateway.get("/one/1").text == "hello")
      #expect(try ask(gateway, "/readyz").status == 200)
      #expect(try ask(gateway, "/readyz").text.contains("the last reload failed"))
      let page = try ask(gateway, "/metrics").text
      #expect(page.contains("sluice_config_last_reload_succeeded 0"))
      #expect(page.contains(#"sluice_config_reloads_total{outcome="failed"} 1"#))
      #expect(page.contains("sluice_config_file_newer 1"))
      #expect(gateway.errors.contains("reload failed"))
    }
  }

  @Test func `what only a new start can change is said`() throws {
    try withGateway(Self.routes) { gateway in
      try rewrite(gateway) { $0.replacing("workers: 1", with: "workers: 2") }
      let answer = try ask(gateway, "/api/v1/reload", method: "POST", [Self.token])
      #expect(answer.status == 200)
      let note = "`workers` stays 1 until the next start; the file says 2"
      #expect(answer.text.contains(note))
      #expect(try ask(gateway, "/readyz").text.contains(note))
    }
  }

  @Test func `a page of another site cannot reload`() throws {
    try withGateway(Self.routes) { gateway in
      for field in ["Origin: http://evil.example", "Sec-Fetch-Site: cross-site"] {
        let answer = try ask(gateway, "/api/v1/reload", method: "POST", [Self.token, field])
        #expect(answer.status == 403)
      }
      let client = try Client(port: gateway.adminPort)
      try client.send("POST /api/v1/reload HTTP/1.1", ["Host: evil.example", Self.token])
      #expect(try client.response(to: "POST").status == 403)
      let preflight = try ask(gateway, "/api/v1/reload", method: "OPTIONS", ["Access-Control-Request-Method: POST"])
      #expect(preflight.status == 405)
      #expect(preflight["Access-Control-Allow-Origin"] == nil)
      #expect(try json(ask(gateway, "/api/v1/reload")) == .null)
    }
  }

  @Test func `readiness fails while the gateway drains, and what is in flight ends`() throws {
    let text = Self.routes + "\ndrain_limit: 10s"
    let gateway = try RunningGateway(text)
    defer { gateway.process.kill() }
    try rewrite(gateway) { $0.replacing("drain_delay: 0s", with: "drain_delay: 10s") }
    #expect(try ask(gateway, "/api/v1/reload", method: "POST", [Self.token]).status == 200)
    gateway.process.terminate()
    #expect(try Deadline.usual.poll { try ask(gateway, "/readyz").status == 503 })
    #expect(try ask(gateway, "/healthz").status == 200)
    #expect(try gateway.get("/one/1").status == 200)
    #expect(try ask(gateway, "/api/v1/reload", method: "POST", [Self.token]).status == 409)
    gateway.process.terminate()
    #expect(try gateway.process.wait(until: .usual) == .exited(0))
  }

  private func rewrite(_ gateway: RunningGateway, _ change: (String) -> String) throws {
    try gateway.directory.write(change(gateway.directory.read("gateway.conf")), to: "gateway.conf")
  }
}
