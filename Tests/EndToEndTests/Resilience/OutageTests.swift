import GatewayTesting
import Kernel
import Testing

/// What clients see when targets come and go, with the built program.
@Suite struct OutageTests {
  /// Backends in a process of their own, which can be killed: the first of the three listens on `port`.
  private func backend(on port: Int) throws -> ChildProcess {
    let process = try ChildProcess(
      [RunningGateway.program, "demo"],
      environment: [
        ("BACKEND_A", "\(port)"), ("BACKEND_B", "\(Ports.free())"), ("BACKEND_C", "\(Ports.free())"),
        ("MODEL_STAND_IN", "\(Ports.free())"),
      ])
    let isThere = Deadline.usual.poll { (try? Client(port: port).get("/healthz").status) == 200 }
    #expect(isThere)
    return process
  }

  /// Clients that ask one after the other, each over a connection that it keeps, until they are stopped.
  private final class Load: Sendable {
    private let state = Lock(State())
    private let threads: Lock<[Thread]>

    /// All idempotent (RFC 9110 §9.2.2), so all may be sent again.
    private static let methods = ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"]

    private struct State {
      var isOver = false
      var answers: [Int: Int] = [:]
      var failures: [String] = []
    }

    init(clients: Int, port: Int) throws {
      let state = state
      var threads: [Thread] = []
      for _ in 0..<clients {
        threads.append(
          try Thread.start(name: "load") {
            do {
              let client = try Client(port: port)
              var turn = 0
              while !state.withLock({ $0.isOver }) {
                let method = Self.methods[turn % Self.methods.count]
                turn += 1
                let body = method == "PUT" ? "a body that is sent again" : ""
                try client.send(
                  "\(method) /echo HTTP/1.1", ["Host: a.example", "Content-Length: \(body.utf8.count)"], body: body)
                let status = try client.response(to: method).status
                state.withLock { $0.answers[status, default: 0] += 1 }
              }
            } catch { state.withLock { $0.failures.append("\(error)") } }
          })
      }
      self.threads = Lock(threads)
    }

    var count: Int { state.withLock { $0.answers.values.reduce(0, +) } }

    /// Lets so many more requests pass.
    func pass(_ more: Int) -> Bool {
      let before = count
      return Deadline.usual.poll { count >= before + more }
    }

    /// Ends it; how often each status came, and what failed otherwise.
    func finish() -> (answers: [Int: Int], failures: [String]) {
      state.withLock { $0.isOver = true }
      for thread in threads.withLock({ $0 }) { thread.join() }
      return state.withLock { ($0.answers, $0.failures) }
    }
  }

  private func text(_ ports: [Int], _ more: String = "") -> String {
    let targets = ports.map { "{ url: \"http://127.0.0.1:\($0)\" }" }.joined(separator: ", ")
    return "upstreams: { u: { targets: [\(targets)]\(more) } }\nroutes: { all: { match: /*, upstream: u } }"
  }

  /// The events of the process's own log that say that a target is out, or back.
  private func transitions(_ gateway: RunningGateway) -> [String] {
    gateway.errors.split(separator: "\n").compactMap { line in
      if line.contains("target is out") { return "out" }
      return line.contains("target is back") ? "back" : nil
    }
  }

  @Test(arguments: ["", ", health_check: { path: /healthz, interval: 100ms }"])
  func `no idempotent request fails while one of two targets is killed and comes back`(check: String) throws {
    let ports = [Ports.free(), Ports.free()]
    let stays = try backend(on: ports[0])
    defer { stays.kill() }
    var dies = try backend(on: ports[1])
    defer { dies.kill() }
    var plan = RunningGateway.Plan()
    plan.workers = 2
    try withGateway(text(ports, check), plan) { gateway in
      let load = try Load(clients: 8, port: gateway.port)
      #expect(load.pass(500))
      for _ in 1...2 {
        dies.kill()
        #expect(load.pass(500))
        let isOut = Deadline.usual.poll { transitions(gateway).last == "out" }
        #expect(isOut)
        dies = try backend(on: ports[1])
        let isBack = Deadline.usual.poll { transitions(gateway).last == "back" }
        #expect(isBack)
        #expect(load.pass(500))
      }
      let (answers, failures) = load.finish()
      #expect(answers.keys.sorted() == [200] && failures.isEmpty, "\(answers) \(failures)")
      #expect(transitions(gateway) == ["out", "back", "out", "back"])
    }
  }

  @Test func `with no target left calls are refused at once, and go on when one is back`() throws {
    let port = Ports.free()
    try withGateway(text([port])) { gateway in
      let client = try gateway.connect()
      #expect(try client.get("/healthz")["X-Fault"] == "upstream")
      let refused = try client.get("/healthz")
      #expect(refused.status == 503)
      #expect(refused["Retry-After"] == "5")
      let process = try backend(on: port)
      defer { process.kill() }
      let isBack = try Deadline.usual.poll { try client.get("/healthz").status == 200 }
      #expect(isBack)
    }
  }

  @Test func `a Unix socket that nobody listens on is out until somebody does`() throws {
    let directory = try TemporaryDirectory()
    let other = try Origin.ok("other")
    defer { other.stop() }
    let text = """
      upstreams: { u: { targets: [ { url: "unix:\(directory["socket"])" }, { url: "\(other.url)" } ] } }
      routes: { all: { match: /*, upstream: u } }
      """
    try withGateway(text) { gateway in
      let client = try gateway.connect()
      for _ in 1...4 { #expect(try client.get("/").text == "other") }
      let origin = try Origin(on: .unix(path: directory["socket"])) { connection in
        while try connection.request() != nil { try connection.answer(body: "socket") }
      }
      defer { origin.stop() }
      let isBack = try Deadline.usual.poll { try client.get("/").text == "socket" }
      #expect(isBack)
    }
  }
}
