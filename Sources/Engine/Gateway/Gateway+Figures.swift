import Kernel
public import Telemetry

/// What a target's pool holds at the moment, on all workers together.
public struct PoolFigures: Sendable {
  /// Calls under way.
  public var inFlight = 0
  /// Connections, those that rest among them.
  public var open = 0
  public var idle = 0

  public init(inFlight: Int = 0, open: Int = 0, idle: Int = 0) {
    self.inFlight = inFlight
    self.open = open
    self.idle = idle
  }
}

/// What an upstream has at the moment.
public struct UpstreamFigures: Sendable {
  /// Calls that wait for a connection.
  public var queued = 0
  /// By the id of the target.
  public var targets: [UInt64: PoolFigures] = [:]

  public init(queued: Int = 0) { self.queued = queued }
}

extension Gateway {
  public var workerCount: Int { workers.count }

  /// Asks every worker the same and waits until all have answered, which takes them a turn of their loop.
  func gather<Answer: Sendable>(_ question: @escaping @Sendable (Worker) -> Answer) async -> [Answer] {
    let answers = Lock<[Answer]>([])
    let count = workers.count
    guard count > 0 else { return [] }
    await withCheckedContinuation { continuation in
      for handle in workers {
        handle.post { worker in
          let answer = question(worker)
          let isLast = answers.withLock { answers in
            answers.append(answer)
            return answers.count == count
          }
          if isLast { continuation.resume() }
        }
      }
    }
    return answers.withLock { $0 }
  }

  /// What every worker counted.
  public func metricSnapshots() async -> [MetricSnapshot] { await gather { $0.metricSnapshot() } }

  /// What the pools of the running configuration hold, by the name of the upstream.
  public func upstreamFigures() async -> [String: UpstreamFigures] {
    var sums: [String: UpstreamFigures] = [:]
    for figures in await gather({ $0.upstreamFigures }) {
      for (name, upstream) in figures {
        sums[name, default: UpstreamFigures()].queued += upstream.queued
        for (target, pool) in upstream.targets {
          sums[name, default: UpstreamFigures()].targets[target, default: PoolFigures()] += pool
        }
      }
    }
    return sums
  }
}

extension Worker {
  fileprivate var upstreamFigures: [String: UpstreamFigures] {
    var figures: [String: UpstreamFigures] = [:]
    for pool in current.pools {
      var upstream = UpstreamFigures(queued: pool.queueLength)
      for target in pool.targets {
        upstream.targets[target.target.id] = PoolFigures(
          inFlight: target.inFlight, open: target.open, idle: target.idleCount)
      }
      figures[pool.upstream.settings.name] = upstream
    }
    return figures
  }
}

extension PoolFigures {
  fileprivate static func += (sum: inout PoolFigures, other: PoolFigures) {
    sum.inFlight += other.inFlight
    sum.open += other.open
    sum.idle += other.idle
  }
}
