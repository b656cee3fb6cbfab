import Kernel

/// One upstream of the configuration, shared by all workers: its targets, and what is known of them.
public final class Upstream: Sendable {
  public let settings: UpstreamSettings
  let retryBudget: RetryBudget
  private let state: Lock<TargetSet>

  init(_ settings: UpstreamSettings) {
    self.settings = settings
    retryBudget = RetryBudget(ratio: settings.retries.budget)
    let limits = settings.circuitBreaker.map { CircuitBreakerLimits($0) }
    state = Lock(TargetSet(settings.targets.map { TargetEntry($0) }, limits: limits))
  }

  /// The targets at the moment.
  public var targets: TargetSet { state.withLock { $0 } }

  /// Replaces the addresses; whether that changed anything, so that workers must be told.
  func update(_ entries: [TargetEntry]) -> Bool {
    state.withLock { set in
      if set.isCurrent(for: entries) { return false }
      set = TargetSet(entries, limits: settings.circuitBreaker.map { CircuitBreakerLimits($0) }, previous: set)
      return true
    }
  }
}

extension TargetEntry {
  /// A target whose host is an address has it; one with a name has none until it is resolved.
  init(_ settings: TargetSettings) {
    let addresses: [SocketAddress] =
      switch settings.address {
      case .host(let host, let port): IPAddress(host).map { [.ip($0, port: UInt16(port))] } ?? []
      case .unix(let path): [.unix(path: path)]
      }
    self.init(name: settings.name, weight: settings.weight, addresses: addresses)
  }
}

extension CircuitBreakerLimits {
  init(_ settings: CircuitBreakerSettings) {
    self.init(
      failureRatio: settings.failureRatio, minimumRequests: settings.minimumRequests, window: settings.window,
      openFor: settings.openFor, halfOpenRequests: settings.halfOpenRequests)
  }
}

extension Balancer.Algorithm {
  init(_ settings: UpstreamSettings.Balance) {
    self =
      switch settings {
      case .roundRobin: .roundRobin
      case .leastRequest: .leastRequest
      case .randomTwo: .randomTwo
      case .hash: .hash
      }
  }
}
