public import Kernel
import Synchronization

/// The few words that all workers and the control thread write: atomics, nothing else.
public final class SharedState: Sendable {
  private let open = Atomic<Int>(0)
  private let drained = Atomic<Int>(0)
  private let refused = Atomic<Int>(0)
  /// How many clients there are descriptors for.
  private let most = Atomic<Int>(.max)
  /// Told of what only the process's own log can say.
  private let report: @Sendable (GatewayEvent) -> Void
  /// Told of every target that traffic took out, by upstream, so that it is looked for.
  private let ejected: @Sendable (String, TargetHealth) -> Void

  init(
    report: @escaping @Sendable (GatewayEvent) -> Void,
    ejected: @escaping @Sendable (String, TargetHealth) -> Void = { _, _ in }
  ) {
    self.report = report
    self.ejected = ejected
  }

  public var openConnections: Int { open.load(ordering: .relaxed) }
  public var refusedAccepts: Int { refused.load(ordering: .relaxed) }
  var drainedWorkers: Int { drained.load(ordering: .acquiring) }

  func mayAccept(limit: Int) -> Bool {
    open.load(ordering: .relaxed) < min(limit, most.load(ordering: .relaxed))
  }
  func boundConnections(to count: Int) { most.store(count, ordering: .relaxed) }
  func opened() { open.add(1, ordering: .relaxed) }
  func closed() { open.subtract(1, ordering: .relaxed) }

  func acceptFailed(_ error: SocketError) {
    refused.add(1, ordering: .relaxed)
    report(.acceptFailed("\(error)"))
  }

  func workerDrained(_ index: Int) {
    drained.add(1, ordering: .releasing)
    report(.workerDrained(index))
  }

  func targetEjected(upstream: String, _ target: Target, why: StaticString) {
    ejected(upstream, target.health)
    report(.targetOut(upstream: upstream, target: target.name, why: "\(why)"))
  }

  func emit(_ event: GatewayEvent) { report(event) }
}

/// What happens in the gateway that an operator wants to read of.
public enum GatewayEvent: Sendable {
  case acceptFailed(String)
  case workerDrained(Int)
  case targetOut(upstream: String, target: String, why: String)
  case targetBack(upstream: String, target: String)
  /// A target's name has no address for the first time in a row; the last ones known stay in force.
  case nameFailed(name: String, why: String)
  /// A target's name has other addresses than before, or has some again.
  case nameChanged(name: String, addresses: [IPAddress])
  /// A store gives no answers any more.
  case storeAway(String, why: String)
  case breaker(upstream: String, target: String, state: String)
  /// Nobody took what was left of the call log in time, so that these lines are lost, with those that were dropped before.
  case callLogUnread(lines: Int)
}
