import Configuration
import GatewayTesting
import Kernel
import PluginKit
import Runtime

@testable import Engine

/// A worker on a loop of its own, with an upstream `u`.
final class Calling: Sendable {
  let thread: LoopThread
  let upstream: Upstream
  private let worker: LoopBound<Worker>

  convenience init(_ origins: [Origin], _ change: (inout UpstreamSettings) -> Void = { _ in }) throws {
    try self.init(origins.map(\.address), change)
  }

  init(_ addresses: [SocketAddress], _ change: (inout UpstreamSettings) -> Void = { _ in }) throws {
    var settings = UpstreamSettings(
      name: "u",
      targets: addresses.map { address in
        switch address {
        case .ip(let ip, let port):
          TargetSettings(address: .host("\(ip)", port: Int(port)), name: "\(address)")
        case .unix(let path): TargetSettings(address: .unix(path: path), name: "\(address)")
        }
      })
    change(&settings)
    let snapshot = try Snapshot(
      GatewaySettings(upstreams: [settings]), plugins: PluginCatalog([]), previous: nil, generation: 1)
    upstream = snapshot.upstreams[0]
    thread = try LoopThread()
    let loop = thread.loop
    worker = LoopBound(
      Worker(index: 0, loop: loop, shared: SharedState(report: { _ in }), snapshot: snapshot, log: nil), on: loop)
  }

  /// Sends on the worker; what came, or the reason of the fault.
  func send(_ request: ClientRequest) async -> Result<ClientResponse, Reason> {
    let (loop, worker) = (thread.loop, worker)
    return await withCheckedContinuation { continuation in
      loop.post {
        loop.start(worker.here) { worker in
          do throws(Fault) {
            continuation.resume(returning: .success(try await worker.client.send(request)))
          } catch {
            continuation.resume(returning: .failure(Reason("\(error.reason)")))
          }
        }
      }
    }
  }

  /// Connections that the worker holds: open, and of these resting.
  func connections() async -> (open: Int, idle: Int, inFlight: Int) {
    let worker = worker
    return await thread.run {
      let pools = worker.here.current.pools[0].targets
      return (
        pools.reduce(0) { $0 + $1.open }, pools.reduce(0) { $0 + $1.idleCount }, pools.reduce(0) { $0 + $1.inFlight }
      )
    }
  }

  func stop() { thread.stop() }
}

/// A fault's word.
struct Reason: Error, Equatable, ExpressibleByStringLiteral {
  let word: String
  init(_ word: String) { self.word = word }
  init(stringLiteral word: String) { self.word = word }
}

extension Result {
  var failure: Failure? { if case .failure(let failure) = self { failure } else { nil } }
}
