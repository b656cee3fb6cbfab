import Configuration
import Kernel
import PluginKit

/// Weights laid end to end, so that a number from a hash or by chance falls into one of them.
///
/// The order of the configuration is the order here: when weight moves from the first to the second, only calls of the
/// first change sides, and those that had changed before stay.
struct WeightedShares: Sendable {
  /// Where each share ends.
  private let ends: [UInt64]

  /// - Parameter weights: not all of them 0.
  init(_ weights: [Int]) {
    var sum: UInt64 = 0
    ends = weights.map { weight in
      sum += UInt64(weight)
      return sum
    }
  }

  func index(of hash: UInt64) -> Int {
    let place = (ends[ends.count - 1]).multipliedFullWidth(by: hash).high
    var index = 0
    while index < ends.count - 1, place >= ends[index] { index += 1 }
    return index
  }

  /// The one with the largest weight.
  var largest: Int {
    var largest: (index: Int, weight: UInt64) = (0, 0)
    var begin: UInt64 = 0
    for (index, end) in ends.enumerated() {
      if end - begin > largest.weight { largest = (index, end - begin) }
      begin = end
    }
    return largest.index
  }
}

/// The upstreams of a route that divides its calls, as one worker has them.
struct UpstreamSplit {
  private let key: RequestValue?
  private let shares: WeightedShares
  private let pools: [UpstreamPool]

  /// The same in every gateway and for every route: who is on one side is there everywhere. Another one than the
  /// balancer's, so that one choice says nothing of the other.
  static let seed: UInt64 = 0x73_70_6c_69_74

  init(_ settings: SplitSettings, _ pools: [UpstreamPool]) {
    if case .value(let value) = settings.by { key = value } else { key = nil }
    shares = WeightedShares(settings.to.map(\.weight))
    self.pools = settings.to.map { pools[$0.upstream] }
  }

  /// It is `inout` only to be passed by its address.
  func choose(_ exchange: inout Exchange, _ random: inout SplitMix) -> UpstreamPool {
    let hash = key.flatMap { $0.hash(in: exchange, seed: Self.seed) } ?? random.next()
    return pools[shares.index(of: hash)]
  }
}
