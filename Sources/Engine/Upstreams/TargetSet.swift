public import Foreign
public import Kernel

/// One of an upstream's targets as the configuration names it, with what its name means at the moment.
public struct TargetEntry: Sendable, Equatable {
  /// As log and metrics call it: `HOST:PORT` or `unix:PATH`.
  public var name: String
  /// Its share beside the other entries', however many addresses it has.
  public var weight: Int
  /// None while its name does not resolve.
  public var addresses: [SocketAddress]
  /// Nil: in the clear.
  public var security: TargetSecurity?

  public init(name: String, weight: Int = 1, addresses: [SocketAddress], security: TargetSecurity? = nil) {
    self.name = name
    self.weight = weight
    self.addresses = addresses
    self.security = security
  }
}

/// How TLS is spoken to a target, and as which host.
public struct TargetSecurity: Sendable, Equatable {
  public let context: TLSClientContext
  public let host: String

  public init(context: TLSClientContext, host: String) {
    self.context = context
    self.host = host
  }

  public static func == (one: TargetSecurity, other: TargetSecurity) -> Bool {
    one.context === other.context && one.host == other.host
  }
}

/// One address that requests can be sent to. Breaker and health live on from one set to the next.
///
/// A class, as every call reads it: a copy of all that it holds would count four references up and down.
public final class Target: Sendable {
  /// The same for the same name and address in every process and run.
  public let id: UInt64
  public let name: String
  public let address: SocketAddress
  /// In the units of its set.
  public let weight: Int
  public let health: TargetHealth
  public let breaker: CircuitBreaker?
  public let outlier: OutlierDetector?
  /// Nil: in the clear.
  public let security: TargetSecurity?

  init(
    id: UInt64, name: String, address: SocketAddress, weight: Int, health: TargetHealth, breaker: CircuitBreaker?,
    outlier: OutlierDetector?, security: TargetSecurity?
  ) {
    self.id = id
    self.name = name
    self.address = address
    self.weight = weight
    self.health = health
    self.breaker = breaker
    self.outlier = outlier
    self.security = security
  }
}

/// The addresses that an upstream has at the moment: immutable, shared by all workers, replaced when DNS answers change
/// or the configuration does.
public struct TargetSet: Sendable {
  public let targets: [Target]
  private let limits: CircuitBreakerLimits?
  /// Failures in a row that take a target out; nil: any number is borne.
  private let failures: Int?

  /// Divides evenly among 1 to 8 addresses, and nearly so among more.
  private static let unitsOfWeight = 840
  private static let maximumWeight = 1_000_000

  /// - Parameters:
  ///   - limits: of the circuit breakers; nil for none.
  ///   - failures: in a row that take a target out; nil for any number.
  ///   - previous: the set that this one follows. Targets that stay keep their health, and their breaker unless the
  ///     limits have changed.
  public init(_ entries: [TargetEntry], limits: CircuitBreakerLimits?, failures: Int? = nil, previous: TargetSet? = nil)
  {
    var known: [UInt64: Target] = [:]
    for target in previous?.targets ?? [] { known[target.id] = target }
    let keepsBreakers = previous.map { $0.limits == limits } ?? false
    let keepsOutliers = previous.map { $0.failures == failures } ?? false
    var targets: [Target] = []
    var seen: Set<UInt64> = []
    for entry in entries {
      let addresses = Set(entry.addresses).map { ($0, Self.id(of: $0, name: entry.name)) }.sorted { $0.1 < $1.1 }
      for (address, id) in addresses where seen.insert(id).inserted {
        targets.append(
          Target(
            id: id, name: entry.name, address: address,
            weight: max(1, min(entry.weight, Self.maximumWeight) * Self.unitsOfWeight / addresses.count),
            health: known[id]?.health ?? TargetHealth(),
            breaker: keepsBreakers
              ? known[id]?.breaker ?? limits.map(CircuitBreaker.init) : limits.map(CircuitBreaker.init),
            outlier: (keepsOutliers ? known[id]?.outlier : nil) ?? failures.map { OutlierDetector(threshold: $0) },
            security: entry.security))
      }
    }
    self.targets = targets
    self.limits = limits
    self.failures = failures
  }

  /// Whether a set of these entries would have the same targets and weights as this one, so that none is needed.
  public func isCurrent(for entries: [TargetEntry]) -> Bool {
    let other = TargetSet(entries, limits: nil)
    return other.targets.count == targets.count
      && zip(other.targets, targets).allSatisfy { $0.id == $1.id && $0.weight == $1.weight }
  }

  /// What a target's name means in this set.
  func addresses(of target: TargetSettings) -> [SocketAddress] {
    targets.compactMap { $0.name == target.name ? $0.address : nil }
  }

  /// The targets that another set no longer has: their idle connections are to be closed.
  public func targets(missingIn other: TargetSet) -> [Target] {
    let kept = Set(other.targets.map(\.id))
    return targets.filter { !kept.contains($0.id) }
  }

  /// Whether every target has a breaker and all of them are open.
  public var isOpen: Bool { !targets.isEmpty && targets.allSatisfy { $0.breaker?.state == .open } }

  /// What a balancer is made of.
  public var members: [Balancer.Member] { targets.map { Balancer.Member(weight: $0.weight, id: $0.id) } }

  /// FNV-1a over name and address.
  private static func id(of address: SocketAddress, name: String) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in "\(name) \(address)".utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return hash
  }
}
