import PluginKit

/// The HTTP client of a worker: its plugins and handlers call out through it.
///
/// Calls go to configured upstreams over the same pools, breakers, health and retry budget as proxied traffic, so they
/// are bounded by the same limits and show in the same metrics. Nothing blocks: the caller waits on its worker.
final class UpstreamClient: HTTPClient {
  private unowned let worker: Worker

  init(_ worker: Worker) { self.worker = worker }

  func send(_ request: ClientRequest) async throws(Fault) -> ClientResponse {
    guard let pool = worker.current.pool(named: request.upstream) else { throw .unknownUpstream }
    let call = ClientCall(try ClientMessage(request), to: pool, on: worker)
    return try await call.run()
  }
}
