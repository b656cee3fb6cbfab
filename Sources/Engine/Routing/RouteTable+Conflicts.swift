/// Two routes that one request can fit equally well.
public struct RouteConflict: Sendable, Equatable {
  /// Indices of the routes, the earlier first.
  public var first: Int
  public var second: Int
  /// Which path of each.
  public var firstPath: Int
  public var secondPath: Int
}

extension RouteTable {
  /// Pairs of routes that tie on some request, each pair once; at most `limit` of them.
  ///
  /// Only routes of one group can tie: template shape and host are the same. Of those, the ones with as many
  /// conditions tie unless methods, listeners or a condition keep them apart. Large groups are first divided by the
  /// values of their most frequent condition, so that the work stays about linear in the number of routes.
  ///
  /// - Parameter owners: for each pattern what it belongs to, when one route has several; patterns of one owner do not
  ///   tie, and each pair of owners is told once.
  public func conflicts(limit: Int = 100, owners: [Int32] = []) -> [RouteConflict] {
    var search = ConflictSearch(
      candidates: candidates, conditions: conditions, bytes: conditionBytes, owners: owners, limit: limit)
    for group in groups where group.count > 1 {
      var start = Int(group.lowerBound)
      while start < Int(group.upperBound) {
        var end = start + 1
        while end < Int(group.upperBound), candidates[end].rank == candidates[start].rank { end += 1 }
        search.compare(Array(start..<end))
        start = end
      }
    }
    return search.found
  }
}

/// The search for ties among candidates, which are given by their index in the table.
private struct ConflictSearch {
  private let candidates: [RouteTable.Candidate]
  private let conditions: [RouteTable.Condition]
  private let conditionBytes: [UInt8]
  private let owners: [Int32]
  private let limit: Int
  var found: [RouteConflict] = []
  private var seen: Set<RoutePair> = []

  /// Up to this many candidates are compared pair by pair at once.
  private static let small = 32

  private struct RoutePair: Hashable {
    var first: Int32
    var second: Int32
  }

  /// A condition on one name, whatever its value.
  private struct Subject: Hashable {
    var isQuery: Bool
    var name: ArraySlice<UInt8>
  }

  init(
    candidates: [RouteTable.Candidate], conditions: [RouteTable.Condition], bytes: [UInt8], owners: [Int32], limit: Int
  ) {
    self.candidates = candidates
    self.conditions = conditions
    conditionBytes = bytes
    self.owners = owners
    self.limit = limit
  }

  /// Compares all of one group and rank with each other.
  mutating func compare(_ members: [Int]) {
    if members.count < 2 || found.count >= limit { return }
    guard members.count > Self.small, let (classes, rest) = divided(members) else {
      for (place, first) in members.enumerated() {
        for second in members[(place + 1)...] { compare(first, second) }
        if found.count >= limit { return }
      }
      return
    }
    for members in classes { compare(members) }
    compare(rest)
    for first in rest {
      for members in classes { for second in members { compare(first, second) } }
      if found.count >= limit { return }
    }
  }

  /// The members divided by the value of the condition that most of them have, so that only the `rest`, which do not
  /// have it, can tie with another class; nil when that would divide nothing.
  private func divided(_ members: [Int]) -> (classes: [[Int]], rest: [Int])? {
    var uses: [Subject: Int] = [:]
    for member in members {
      for condition in candidates[member].conditions where conditions[Int(condition)].value != nil {
        uses[subject(of: condition), default: 0] += 1
      }
    }
    let byUse = uses.sorted { ($0.value, $1.key.name.count) > ($1.value, $0.key.name.count) }
    for (subject, _) in byUse.prefix(4) {
      var classes: [ArraySlice<UInt8>: [Int]] = [:]
      var rest: [Int] = []
      for member in members {
        if let value = value(of: subject, in: member) {
          classes[value, default: []].append(member)
        } else {
          rest.append(member)
        }
      }
      if classes.count > 1 { return (Array(classes.values), rest) }
    }
    return nil
  }

  private mutating func compare(_ first: Int, _ second: Int) {
    let a = candidates[first]
    let b = candidates[second]
    guard found.count < limit, owner(of: a) != owner(of: b), a.listeners & b.listeners != 0 else { return }
    // A route that names HEAD goes before one that takes it with GET, so HEAD is no tie between the two.
    let shared = MethodMask(bits: a.methods.bits & b.methods.bits)
    guard !(a.headIsImplied == b.headIsImplied ? shared : shared.subtracting(.head)).isEmpty else { return }
    guard !areDisjoint(a, b) else { return }
    let (early, late) = a.route < b.route ? (a, b) : (b, a)
    let owners = (owner(of: early), owner(of: late))
    guard seen.insert(RoutePair(first: min(owners.0, owners.1), second: max(owners.0, owners.1))).inserted else {
      return
    }
    found.append(
      RouteConflict(
        first: Int(early.route), second: Int(late.route), firstPath: Int(early.path), secondPath: Int(late.path)))
  }

  private func owner(of candidate: RouteTable.Candidate) -> Int32 {
    owners.isEmpty ? Int32(candidate.route) : owners[Int(candidate.route)]
  }

  /// Whether a condition of each asks for a different value of the same name.
  private func areDisjoint(_ a: RouteTable.Candidate, _ b: RouteTable.Candidate) -> Bool {
    for condition in a.conditions {
      guard let range = conditions[Int(condition)].value else { continue }
      for other in b.conditions where subject(of: other) == subject(of: condition) {
        if let otherRange = conditions[Int(other)].value, bytes(otherRange) != bytes(range) { return true }
      }
    }
    return false
  }

  private func value(of subject: Subject, in member: Int) -> ArraySlice<UInt8>? {
    for condition in candidates[member].conditions where self.subject(of: condition) == subject {
      if let range = conditions[Int(condition)].value { return bytes(range) }
    }
    return nil
  }

  private func subject(of condition: UInt32) -> Subject {
    let condition = conditions[Int(condition)]
    return Subject(isQuery: condition.isQuery, name: bytes(condition.name))
  }

  private func bytes(_ range: Range<UInt32>) -> ArraySlice<UInt8> {
    conditionBytes[Int(range.lowerBound)..<Int(range.upperBound)]
  }
}
