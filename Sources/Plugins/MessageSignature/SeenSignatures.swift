import Foreign
import Kernel

/// The signatures of the last while, so that none is good twice; one for all workers of the process, bounded.
///
/// There are two generations of it. A new one begins after each period, and the one before the last is forgotten, so
/// that every signature is known for one period at least and two at most.
final class SeenSignatures: Sendable {
  enum Sight: Equatable {
    case first, again
    /// There is no place to remember it, so it must not be taken.
    case full
  }

  private struct Generations: Sendable {
    var began = 0
    var current: Set<SHA256Digest> = []
    var last: Set<SHA256Digest> = []
  }

  private let generations = Lock(Generations())
  private let period: Int
  private let capacity: Int

  /// - Parameters:
  ///   - period: nanoseconds for which a signature is known at least.
  ///   - capacity: of both generations together.
  init(period: Int, capacity: Int) {
    precondition(period > 0 && capacity > 0)
    self.period = period
    self.capacity = capacity
  }

  /// - Parameter now: monotonic nanoseconds.
  func see(_ signature: SHA256Digest, now: Int) -> Sight {
    let (period, capacity) = (period, capacity)
    return generations.withLock { generations in
      if now - generations.began >= period {
        generations.last = now - generations.began < 2 * period ? generations.current : []
        generations.current = []
        generations.began = now
      }
      if generations.current.contains(signature) || generations.last.contains(signature) { return .again }
      guard generations.current.count + generations.last.count < capacity else { return .full }
      generations.current.insert(signature)
      return .first
    }
  }
}
