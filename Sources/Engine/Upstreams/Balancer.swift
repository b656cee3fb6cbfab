/// What the balancer sees of an upstream's targets at the moment of a pick.
public protocol BalancerTargets: ~Copyable, ~Escapable {
  /// Whether a request may go to the target now: it is healthy, its breaker lets requests through, it has room.
  func isEligible(_ index: Int) -> Bool
  /// How many requests it is working on.
  func inFlight(_ index: Int) -> Int
}

/// Chooses the target of a request.
///
/// One per upstream and worker, so it needs no locks. A pick looks at each target once and allocates nothing.
public struct Balancer {
  public enum Algorithm: Sendable, CaseIterable {
    /// By turns, in proportion to the weights and evenly spread: a target of weight 5 does not get 5 in a row.
    case roundRobin
    /// The target with the fewest requests in flight for its weight; among equals by turns.
    case leastRequest
    /// The less busy of two drawn at random by weight: nearly as good as the least busy of all, and workers that do
    /// not know of each other do not all choose the same.
    case randomTwo
    /// The same target for the same hash, in proportion to the weights; by weight at random without a hash.
    case hash
  }

  /// A target as it enters a balancer.
  public struct Member: Sendable {
    /// From 1 to `maximumWeight`; 0 gets no requests.
    public var weight: Int
    /// Says which target it is, the same in every worker, process and run; only `hash` reads it.
    public var id: UInt64

    public init(weight: Int, id: UInt64) {
      self.weight = weight
      self.id = id
    }
  }

  public static let maximumWeight = 1_000_000_000

  private let algorithm: Algorithm
  private let members: [Member]
  /// Where turns begin, so that workers do not all begin with the first target.
  private let start: Int
  /// How much of its turn each target has saved up.
  private var credit: [Int]
  /// The eligible targets of the pick at hand.
  private var candidates: [Int] = []

  public init(_ algorithm: Algorithm, _ members: [Member], random: inout some RandomNumberGenerator) {
    self.algorithm = algorithm
    self.members = members.map {
      Member(weight: min(max(0, $0.weight), Self.maximumWeight), id: $0.id)
    }
    start = members.isEmpty ? 0 : Int.random(in: 0..<members.count, using: &random)
    credit = Array(repeating: 0, count: members.count)
    candidates.reserveCapacity(members.count)
  }

  /// The index of the target that gets the request; nil when none is eligible and not yet tried.
  ///
  /// - Parameters:
  ///   - hash: of the value that the upstream hashes by; nil when the request has none.
  ///   - tried: targets that this request was sent to before.
  public mutating func pick<Targets: BalancerTargets & ~Copyable & ~Escapable>(
    among targets: borrowing Targets, hash: UInt64? = nil, excluding tried: TriedTargets = TriedTargets(),
    random: inout some RandomNumberGenerator
  ) -> Int? {
    gather(targets, tried)
    if candidates.count < 2 { return candidates.first }
    switch algorithm {
    case .roundRobin: return nextInTurn()
    case .leastRequest:
      keepLeastBusy(targets)
      return nextInTurn()
    case .randomTwo:
      let first = draw(&random, except: nil)
      let second = draw(&random, except: first)
      return isLessBusy(second, than: first, targets) ? second : first
    case .hash:
      guard let hash else { return draw(&random, except: nil) }
      return closest(to: hash)
    }
  }

  private mutating func gather<Targets: BalancerTargets & ~Copyable & ~Escapable>(
    _ targets: borrowing Targets, _ tried: TriedTargets
  ) {
    candidates.removeAll(keepingCapacity: true)
    for index in start..<(start + members.count) {
      let index = index < members.count ? index : index - members.count
      if members[index].weight > 0, !tried.contains(index), targets.isEligible(index) { candidates.append(index) }
    }
  }

  /// Smooth weighted round robin: all candidates save up their weight, the richest pays for the round.
  private mutating func nextInTurn() -> Int {
    var round = 0
    var richest = candidates[0]
    for index in candidates {
      credit[index] += members[index].weight
      round += members[index].weight
      if credit[index] > credit[richest] { richest = index }
    }
    credit[richest] -= round
    return richest
  }

  private mutating func keepLeastBusy<Targets: BalancerTargets & ~Copyable & ~Escapable>(_ targets: borrowing Targets) {
    var kept = 0
    for index in candidates {
      if kept > 0, isLessBusy(candidates[0], than: index, targets) { continue }
      if kept > 0, isLessBusy(index, than: candidates[0], targets) { kept = 0 }
      candidates[kept] = index
      kept += 1
    }
    candidates.removeLast(candidates.count - kept)
  }

  /// Compares requests in flight for each unit of weight.
  private func isLessBusy<Targets: BalancerTargets & ~Copyable & ~Escapable>(
    _ index: Int, than other: Int, _ targets: borrowing Targets
  ) -> Bool {
    targets.inFlight(index) * members[other].weight < targets.inFlight(other) * members[index].weight
  }

  /// One candidate at random, in proportion to the weights.
  private func draw(_ random: inout some RandomNumberGenerator, except excluded: Int?) -> Int {
    var total = 0
    for index in candidates where index != excluded { total += members[index].weight }
    var rest = Int.random(in: 0..<total, using: &random)
    for index in candidates where index != excluded {
      rest -= members[index].weight
      if rest < 0 { return index }
    }
    return candidates[0]
  }

  /// Rendezvous hashing: every target draws a number from its id and the hash, and the smallest wins.
  ///
  /// Chosen over a ring or a table of slots: it needs no memory, is exact in its weights, and when a target leaves or
  /// is out for a while only its own requests move, with nothing to rebuild. Its cost grows with the number of targets,
  /// by some nanoseconds each.
  private func closest(to hash: UInt64) -> Int {
    var best = candidates[0]
    var smallest = Double.infinity
    for index in candidates {
      let distance = RendezvousHash.distance(hash, id: members[index].id, weight: members[index].weight)
      if distance < smallest {
        smallest = distance
        best = index
      }
    }
    return best
  }
}

/// The targets that a request was sent to already: the last ten, which is as often as it may be tried again.
public struct TriedTargets: Sendable {
  private var indices = InlineArray<10, Int>(repeating: -1)
  private var count = 0

  public init() {}

  public mutating func insert(_ index: Int) {
    indices[count % indices.count] = index
    count += 1
  }

  public func contains(_ index: Int) -> Bool {
    for slot in 0..<min(count, indices.count) where indices[slot] == index { return true }
    return false
  }
}
