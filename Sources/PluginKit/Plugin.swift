/// A step of the chain: one instance a worker, so it needs no lock. Its hooks are the protocols it conforms to.
package protocol Plugin: AnyObject {}

/// The last step of a route: makes the response.
///
/// Forwarding to an upstream is the engine's own handler; those that answer by themselves conform to this.
package protocol Handler: AnyObject {
  /// Fills `exchange.response` and returns `.respond`, or fails.
  func handle(_ exchange: inout Exchange) async -> Verdict
}

/// What a worker offers to the plugins that live on it.
package protocol WorkerServices: AnyObject {
  /// Monotonic nanoseconds of this turn of the loop.
  var now: Int { get }
  /// Calls `action` on the worker after `nanoseconds`.
  func after(_ nanoseconds: Int, _ action: @escaping () -> Void)
}

/// The non-blocking HTTP client that plugins and handlers share.
package protocol HTTPClient: AnyObject {
  func send(_ request: ClientRequest) async throws(Fault) -> ClientResponse
}

/// A small request of the gateway's own: a key set, an introspection, a probe.
package struct ClientRequest: Sendable {
  package var method: String
  /// The name of a configured upstream, whose limits and timeouts hold.
  package var upstream: String
  /// Path and query.
  package var target: String
  package var headers: [(name: String, value: String)]
  package var body: [UInt8]
  /// Nanoseconds for the whole call.
  package var timeout: Int
  /// A longer response is a fault.
  package var largestResponse: Int

  package init(
    method: String = "GET", upstream: String, target: String, headers: [(name: String, value: String)] = [],
    body: [UInt8] = [], timeout: Int = 5_000_000_000, largestResponse: Int = 1 << 20
  ) {
    self.method = method
    self.upstream = upstream
    self.target = target
    self.headers = headers
    self.body = body
    self.timeout = timeout
    self.largestResponse = largestResponse
  }
}

package struct ClientResponse: Sendable {
  package var status: Int
  package var headers: [(name: String, value: String)]
  package var body: [UInt8]

  package init(status: Int, headers: [(name: String, value: String)], body: [UInt8]) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  package func header(_ name: String) -> String? {
    let wanted = name.lowercased()
    return headers.first { $0.name.lowercased() == wanted }?.value
  }
}

/// What a plugin is made with, on each worker.
package struct PluginContext {
  /// The plugin's own settings, as its keywords read them.
  package let settings: any Sendable
  package let services: any WorkerServices

  package init(settings: any Sendable, services: any WorkerServices) {
    self.settings = settings
    self.services = services
  }
}
