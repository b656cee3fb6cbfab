import Kernel

/// Puts routes into the tree one after another, then sorts them into groups.
struct RouteTableBuilder {
  let patterns: [RoutePattern]
  private(set) var extensions: [String] = []
  private(set) var nodes = [RouteTable.Node()]
  private(set) var prefixes: [RouteTable.Prefix] = []
  private(set) var literals: ByteKeyTable
  private(set) var endings: [RouteTable.Ending] = []
  private(set) var hosts: ByteKeyTable
  private(set) var groups: [Range<UInt32>] = []
  private(set) var candidates: [RouteTable.Candidate] = []
  private(set) var conditions: [RouteTable.Condition] = []
  private(set) var conditionBytes: [UInt8] = []

  /// The group of each candidate, until `finish` puts them together.
  private var groupOfCandidate: [UInt32] = []
  private var groupCount: UInt32 = 0

  init(_ patterns: [RoutePattern], seed: UInt64) throws(RouteTableError) {
    self.patterns = patterns
    literals = ByteKeyTable(seed: seed, capacity: patterns.count)
    hosts = ByteKeyTable(seed: ~seed, capacity: 0)
    candidates.reserveCapacity(patterns.count)
    groupOfCandidate.reserveCapacity(patterns.count)
  }

  /// Adds the route at `index` of the patterns, once for each of its paths and hosts.
  mutating func add(_ index: Int) throws(RouteTableError) {
    let pattern = patterns[index]
    let methods = try mask(of: pattern.methods)
    var candidate = RouteTable.Candidate(
      route: UInt32(index), path: 0, methods: methods, headIsImplied: false, rank: UInt32(pattern.rank),
      listeners: try mask(ofListeners: pattern.listeners), conditions: addConditions(of: pattern))
    if methods != .any, methods.overlaps(.get), !methods.overlaps(.head) {
      candidate.methods = methods.union(.head)
      candidate.headIsImplied = true
    }
    for (path, template) in pattern.paths.enumerated() {
      candidate.path = UInt32(path)
      let ending = ending(of: template)
      if pattern.hosts.isEmpty { append(candidate, to: anyHostGroup(of: ending)) }
      for host in pattern.hosts {
        guard let (name, isWildcard) = HostName.pattern(host) else { throw .badHost(route: index, host: host) }
        append(candidate, to: group(of: ending, host: name, isWildcard: isWildcard))
      }
    }
  }

  /// Lays each group's candidates side by side, best first.
  consuming func finish() -> Self {
    var next: [UInt32] = Array(repeating: 0, count: Int(groupCount))
    for group in groupOfCandidate { next[Int(group)] += 1 }
    groups.reserveCapacity(next.count)
    var start: UInt32 = 0
    for group in next.indices {
      groups.append(start..<(start + next[group]))
      next[group] = start
      start = groups[group].upperBound
    }
    var ordered = candidates
    for (candidate, group) in zip(candidates, groupOfCandidate) {
      ordered[Int(next[Int(group)])] = candidate
      next[Int(group)] += 1
    }
    candidates = ordered
    for group in groups where group.count > 1 {
      candidates[Int(group.lowerBound)..<Int(group.upperBound)].sort {
        if $0.rank != $1.rank { return $0.rank > $1.rank }
        if $0.headIsImplied != $1.headIsImplied { return $1.headIsImplied }
        return ($0.route, $0.path) < ($1.route, $1.path)
      }
    }
    return self
  }

  private mutating func append(_ candidate: RouteTable.Candidate, to group: UInt32) {
    candidates.append(candidate)
    groupOfCandidate.append(group)
  }

  // MARK: The tree

  private mutating func ending(of template: PathTemplate) -> Int {
    var node = 0
    for segment in template.segments {
      switch segment {
      case .literal(let text): node = child(of: node, literal: text)
      case .parameter: node = parameterChild(of: node)
      case .prefixed(let prefix, _): node = child(of: node, prefix: prefix)
      }
    }
    let existing = template.takesRest ? nodes[node].rest : nodes[node].exact
    if existing != RouteTable.Node.none { return Int(existing) }
    endings.append(RouteTable.Ending())
    if template.takesRest {
      nodes[node].rest = UInt32(endings.count - 1)
    } else {
      nodes[node].exact = UInt32(endings.count - 1)
    }
    return endings.count - 1
  }

  private mutating func child(of node: Int, literal: String) -> Int {
    let fresh = UInt32(nodes.count)
    let child = literals.insert(fresh, parent: UInt32(node), key: literal.utf8Span.span)
    nodes[node].hasLiterals = true
    if child == fresh { nodes.append(RouteTable.Node()) }
    return Int(child)
  }

  /// Longer prefixes stand before shorter ones, as they say more.
  private mutating func child(of node: Int, prefix: String) -> Int {
    var before: UInt32?
    var branch = nodes[node].prefix
    while branch != RouteTable.Node.none {
      let text = prefixes[Int(branch)].text
      if conditionBytes[Int(text.lowerBound)..<Int(text.upperBound)].elementsEqual(prefix.utf8) {
        return Int(prefixes[Int(branch)].child)
      }
      if text.count < prefix.utf8.count { break }
      before = branch
      branch = prefixes[Int(branch)].next
    }
    let fresh = RouteTable.Prefix(text: add(prefix), child: UInt32(nodes.count), next: branch)
    nodes.append(RouteTable.Node())
    prefixes.append(fresh)
    if let before {
      prefixes[Int(before)].next = UInt32(prefixes.count - 1)
    } else {
      nodes[node].prefix = UInt32(prefixes.count - 1)
    }
    return Int(fresh.child)
  }

  private mutating func parameterChild(of node: Int) -> Int {
    if nodes[node].parameter == RouteTable.Node.none {
      nodes[node].parameter = UInt32(nodes.count)
      nodes.append(RouteTable.Node())
    }
    return Int(nodes[node].parameter)
  }

  // MARK: Hosts

  private mutating func anyHostGroup(of ending: Int) -> UInt32 {
    if endings[ending].anyHost == RouteTable.Node.none { endings[ending].anyHost = newGroup() }
    return endings[ending].anyHost
  }

  private mutating func group(of ending: Int, host: [UInt8], isWildcard: Bool) -> UInt32 {
    if isWildcard {
      endings[ending].hasWildcardHosts = true
    } else {
      endings[ending].hasExactHosts = true
    }
    let parent = UInt32(ending * 2 + (isWildcard ? 1 : 0))
    let group = hosts.insert(groupCount, parent: parent, key: host.span)
    if group == groupCount { groupCount += 1 }
    return group
  }

  private mutating func newGroup() -> UInt32 {
    groupCount += 1
    return groupCount - 1
  }

  // MARK: Methods, listeners, conditions

  private mutating func mask(of methods: [String]) throws(RouteTableError) -> MethodMask {
    if methods.isEmpty { return .any }
    var mask = MethodMask.none
    for method in methods {
      var bit = MethodMask.named(method.utf8Span.span, extensions: extensions)
      if bit == .unnamed {
        guard extensions.count < MethodMask.maximumExtensions else { throw .tooManyMethods }
        extensions.append(method)
        bit = MethodMask.named(method.utf8Span.span, extensions: extensions)
      }
      mask = mask.union(bit)
    }
    return mask
  }

  private func mask(ofListeners listeners: [Int]) throws(RouteTableError) -> UInt64 {
    if listeners.isEmpty { return .max }
    var mask: UInt64 = 0
    for listener in listeners {
      guard (0..<64).contains(listener) else { throw .listenerOutOfRange(listener) }
      mask |= 1 << UInt64(listener)
    }
    return mask
  }

  private mutating func addConditions(of pattern: RoutePattern) -> Range<UInt32> {
    let start = UInt32(conditions.count)
    for condition in pattern.headers { add(condition, isQuery: false) }
    for condition in pattern.query { add(condition, isQuery: true) }
    return start..<UInt32(conditions.count)
  }

  private mutating func add(_ condition: RouteCondition, isQuery: Bool) {
    let name = add(condition.name)
    conditions.append(RouteTable.Condition(isQuery: isQuery, name: name, value: condition.value.map { add($0) }))
  }

  private mutating func add(_ text: String) -> Range<UInt32> {
    let start = UInt32(conditionBytes.count)
    conditionBytes.append(contentsOf: text.utf8)
    return start..<UInt32(conditionBytes.count)
  }
}
