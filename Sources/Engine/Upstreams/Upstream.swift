import Foreign
import Kernel

/// One upstream of the configuration, shared by all workers: its targets, and what is known of them.
public final class Upstream: Sendable {
  public let settings: UpstreamSettings
  let retryBudget: RetryBudget
  /// Of a provider of models: its keys and its models.
  let models: ModelHealth
  private let tls: TLSClientContext?
  private let state: Lock<TargetSet>

  /// - Parameters:
  ///   - previous: the one of the same name that a reload replaces: targets that stay keep their health, and the
  ///     addresses of their names.
  ///   - tls: for its targets with `https://`.
  init(_ settings: UpstreamSettings, previous: Upstream? = nil, tls: TLSClientContext? = nil) {
    self.settings = settings
    self.tls = tls
    models = previous?.models ?? ModelHealth()
    retryBudget = RetryBudget(ratio: settings.retries.budget)
    let limits = settings.circuitBreaker.map { CircuitBreakerLimits($0) }
    let known = previous?.targets
    let entries = settings.targets.map { target in
      TargetEntry(target, security: Self.security(of: target, settings, tls)) { known?.addresses(of: $0) ?? [] }
    }
    state = Lock(
      TargetSet(
        entries, limits: limits, failures: settings.outlierEjection?.consecutiveFailures, previous: known))
  }

  /// The targets at the moment.
  public var targets: TargetSet { state.withLock { $0 } }

  /// A target with what its name means.
  func entry(of target: TargetSettings, resolve: (TargetSettings) -> [SocketAddress]) -> TargetEntry {
    TargetEntry(target, security: Self.security(of: target, settings, tls), resolve: resolve)
  }

  private static func security(
    of target: TargetSettings, _ settings: UpstreamSettings, _ tls: TLSClientContext?
  ) -> TargetSecurity? {
    guard target.isSecure, let tls, case .host(let host, _) = target.address else { return nil }
    return TargetSecurity(context: tls, host: settings.tls?.serverName ?? host)
  }

  /// Leaves a target out that failed too often in a row; false when that may not be.
  func eject(_ target: Target, now: Int) -> Bool {
    guard let outliers = settings.outlierEjection else { return false }
    return state.withLock { $0.eject(target, by: outliers, now: now) }
  }

  /// Replaces the addresses; whether that changed anything, so that workers must be told.
  func update(_ entries: [TargetEntry]) -> Bool {
    state.withLock { set in
      if set.isCurrent(for: entries) { return false }
      set = TargetSet(
        entries, limits: settings.circuitBreaker.map { CircuitBreakerLimits($0) },
        failures: settings.outlierEjection?.consecutiveFailures, previous: set)
      return true
    }
  }
}

extension TargetEntry {
  /// - Parameter resolve: gives the addresses of a target whose host is a name; none while nobody knows them.
  init(_ settings: TargetSettings, security: TargetSecurity? = nil, resolve: (TargetSettings) -> [SocketAddress]) {
    let addresses: [SocketAddress] =
      switch settings.address {
      case .host(let host, let port): IPAddress(host).map { [.ip($0, port: UInt16(port))] } ?? resolve(settings)
      case .unix(let path): [.unix(path: path)]
      }
    self.init(name: settings.name, weight: settings.weight, addresses: addresses, security: security)
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
