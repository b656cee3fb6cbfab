import Glibc
import Kernel

/// Clients that ask one after the other until they are stopped, each on a thread of its own.
package final class Load: Sendable, Opaque {
  package enum Connections: Sendable {
    /// Each client keeps its connection as long as it may.
    case kept
    /// Each request has a connection of its own.
    case fresh
  }

  package struct Outcome: Sendable {
    /// How often each status came.
    package var answers: [Int: Int] = [:]
    package var failures: [String] = []
    /// Requests sent once more, over a new connection, because the kept one ended before a byte of the answer.
    package var resent = 0
    /// Clients that found nobody listening any more, or whose connection nobody accepted.
    package var refused = 0

    package var count: Int { answers.values.reduce(0, +) }
  }

  private struct State {
    var isOver = false
    var outcome = Outcome()
  }

  private let state = Lock(State())
  private let threads: Lock<[Thread]>
  private let port: Int
  private let request: String

  /// - Parameter request: the lines of a request without content, without the empty line.
  package init(
    clients: Int, port: Int, _ connections: Connections = .kept, request: String = "GET / HTTP/1.1\r\nHost: a.example"
  ) throws {
    self.port = port
    self.request = request + "\r\n\r\n"
    threads = Lock([])
    for _ in 0..<clients {
      let thread = try Thread.start(name: "load") { [self] in run(connections) }
      threads.withLock { $0.append(thread) }
    }
  }

  package var count: Int { state.withLock { $0.outcome.count } }

  /// Lets so many more requests pass; whether they did in time.
  package func pass(_ more: Int, until deadline: Deadline = .usual) -> Bool {
    let before = count
    return deadline.poll { count >= before + more }
  }

  /// Ends it.
  package func finish() -> Outcome {
    state.withLock { $0.isOver = true }
    let threads = threads.withLock { threads in
      defer { threads = [] }
      return threads
    }
    for thread in threads { thread.join() }
    return state.withLock { $0.outcome }
  }

  private func run(_ connections: Connections) {
    var kept: Client?
    // What was under way when something failed.
    var step = "connecting"
    do {
      while !state.withLock({ $0.isOver }) {
        let response: WireMessage
        do {
          let isReused = kept != nil
          step = "connecting"
          let client = try kept ?? Client(port: port)
          kept = nil
          step = isReused ? "asking again" : "asking"
          do { response = try ask(client) } catch let error as WireError where isReused && Self.isEnd(error) {
            // RFC 9112 §9.3.1: what an idempotent request over a reused connection may do.
            state.withLock { $0.outcome.resent += 1 }
            continue
          } catch let error as WireError where error == .broken(ECONNRESET) && isNobodyThere() {
            // The kernel had taken the connection, and nobody came to accept it before the listener was closed.
            throw WireError.broken(ECONNREFUSED)
          }
          if connections == .kept, response["Connection"] != "close" { kept = client } else { client.close() }
        } catch WireError.broken(ECONNREFUSED) {
          state.withLock { $0.outcome.refused += 1 }
          return
        } catch let error as WireError where step == "connecting" && error == .broken(ECONNRESET) && isNobodyThere() {
          // The same, where the kernel told it before anything was sent.
          state.withLock { $0.outcome.refused += 1 }
          return
        }
        state.withLock { $0.outcome.answers[response.status, default: 0] += 1 }
      }
    } catch { state.withLock { $0.outcome.failures.append("\(step): \(error)") } }
  }

  /// Whether nobody listens any more; each worker closes its listener for itself, so the last may take a moment longer.
  private func isNobodyThere() -> Bool {
    Deadline.usual.poll {
      do { _ = try Client(port: port) } catch { return error as? WireError == .broken(ECONNREFUSED) }
      return false
    }
  }

  private func ask(_ client: Client) throws -> WireMessage {
    try client.send(request)
    return try client.response()
  }

  /// Whether the connection ended before a byte of the answer.
  private static func isEnd(_ error: WireError) -> Bool {
    error == .ended("") || error == .broken(ECONNRESET) || error == .broken(EPIPE)
  }
}
