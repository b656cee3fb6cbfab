public import PluginKit
import Kernel

extension RouteTable {
  /// The route of a request.
  ///
  /// The most specific path wins, then the most specific host, then the route with more conditions; what fails on one
  /// of them falls back to the next less specific. A match visits each node of the tree once at most, and of a level
  /// only those that fit; it allocates nothing.
  ///
  /// - Parameter parameters: receives the path parameters.
  public func match<Fields: RouteConditions & ~Copyable & ~Escapable>(
    _ request: borrowing RouteRequest, _ conditions: borrowing Fields, parameters: inout PathParameters
  ) -> RouteMatch {
    parameters.removeAll()
    guard request.path.count > 0, request.path[0] == UInt8(ascii: "/") else { return .notFound }
    guard hasHosts else { return match(request, host: Span(), conditions, &parameters) }
    let host = request.host.extracting(HostName.range(in: request.host))
    guard HostName.hasUpperCase(host), host.count <= HostName.maximumLength else {
      return match(request, host: host, conditions, &parameters)
    }
    var lowered = InlineArray<255, UInt8>(repeating: 0)
    for index in host.indices { lowered[index] = HostName.lowered(host[index]) }
    return match(request, host: lowered.span.extracting(first: host.count), conditions, &parameters)
  }

  private func match<Fields: RouteConditions & ~Copyable & ~Escapable>(
    _ request: borrowing RouteRequest, host: Span<UInt8>, _ conditions: borrowing Fields,
    _ parameters: inout PathParameters
  ) -> RouteMatch {
    var method = MethodMask.named(request.method, extensions: extensions)
    if let asked = request.preflightMethod {
      // A route that names OPTIONS takes the preflight itself; without one it goes where the request it asks for will.
      var walk = RouteWalk(self, request, host: host, method: method, mustBeNamed: true)
      if walk.visit(0, from: 1, conditions, &parameters) { return walk.result }
      method = MethodMask.named(asked, extensions: extensions)
    }
    var walk = RouteWalk(self, request, host: host, method: method, mustBeNamed: false)
    if walk.visit(0, from: 1, conditions, &parameters) { return walk.result }
    return walk.allowed.isEmpty ? .notFound : .methodNotAllowed(walk.allowed)
  }
}

/// One search through the tree for one request.
private struct RouteWalk: ~Escapable {
  private let nodes: Span<RouteTable.Node>
  private let prefixes: Span<RouteTable.Prefix>
  private let literals: ByteKeyTable.View
  private let endings: Span<RouteTable.Ending>
  private let hosts: ByteKeyTable.View
  private let groups: Span<Range<UInt32>>
  private let candidates: Span<RouteTable.Candidate>
  private let conditions: Span<RouteTable.Condition>
  private let conditionBytes: Span<UInt8>
  private let path: Span<UInt8>
  private let host: Span<UInt8>
  private let method: MethodMask
  /// Whether routes for any method are passed over.
  private let mustBeNamed: Bool
  private let listener: UInt64
  /// The methods of the routes that fit but for the method.
  private(set) var allowed = MethodMask.none
  private(set) var result = RouteMatch.notFound

  @_lifetime(borrow table, copy request, copy host)
  init(
    _ table: borrowing RouteTable, _ request: borrowing RouteRequest, host: Span<UInt8>, method: MethodMask,
    mustBeNamed: Bool
  ) {
    nodes = table.nodes.span
    prefixes = table.prefixes.span
    literals = table.literals.view
    endings = table.endings.span
    hosts = table.hosts.view
    groups = table.groups.span
    candidates = table.candidates.span
    conditions = table.conditions.span
    conditionBytes = table.conditionBytes.span
    path = request.path
    self.host = host
    self.method = method
    self.mustBeNamed = mustBeNamed
    listener = 1 << UInt64(request.listener & 63)
  }

  /// Searches below a node, the most specific branch first.
  ///
  /// - Parameter start: where the next segment begins; one past the path's length when there is none.
  /// - Returns: whether a route was found; `result` tells it.
  @_lifetime(self: copy self)
  mutating func visit<Fields: RouteConditions & ~Copyable & ~Escapable>(
    _ index: Int, from start: Int, _ fields: borrowing Fields, _ parameters: inout PathParameters
  ) -> Bool {
    let node = nodes[index]
    if start > path.count {
      if node.exact != RouteTable.Node.none, settle(node.exact, rest: path.count, fields) { return true }
      return node.rest != RouteTable.Node.none && settle(node.rest, rest: path.count, fields)
    }
    let end = ByteScan.index(of: UInt8(ascii: "/"), in: path, from: start)
    if node.hasLiterals, let child = literals.value(parent: UInt32(index), key: path.extracting(start..<end)),
      visit(Int(child), from: end + 1, fields, &parameters)
    {
      return true
    }
    var branch = node.prefix
    while branch != RouteTable.Node.none {
      let prefix = prefixes[Int(branch)]
      branch = prefix.next
      let value = start + prefix.text.count
      guard end > value, ByteScan.equal(path.extracting(start..<value), text(prefix.text)) else { continue }
      parameters.append(value..<end)
      if visit(Int(prefix.child), from: end + 1, fields, &parameters) { return true }
      parameters.removeLast()
    }
    if node.parameter != RouteTable.Node.none, end > start {
      parameters.append(start..<end)
      if visit(Int(node.parameter), from: end + 1, fields, &parameters) { return true }
      parameters.removeLast()
    }
    return node.rest != RouteTable.Node.none && settle(node.rest, rest: start, fields)
  }

  /// Looks among the routes that end here, the most specific host first.
  @_lifetime(self: copy self)
  private mutating func settle<Fields: RouteConditions & ~Copyable & ~Escapable>(
    _ index: UInt32, rest: Int, _ fields: borrowing Fields
  ) -> Bool {
    let ending = endings[Int(index)]
    if ending.hasExactHosts, let group = hosts.value(parent: index * 2, key: host),
      choose(from: group, rest: rest, fields)
    {
      return true
    }
    if ending.hasWildcardHosts {
      var dot = ByteScan.index(of: UInt8(ascii: "."), in: host, from: 1)
      while dot < host.count {
        let suffix = host.extracting((dot + 1)..<host.count)
        if let group = hosts.value(parent: index * 2 + 1, key: suffix),
          choose(from: group, rest: rest, fields)
        {
          return true
        }
        dot = ByteScan.index(of: UInt8(ascii: "."), in: host, from: dot + 1)
      }
    }
    return ending.anyHost != RouteTable.Node.none && choose(from: ending.anyHost, rest: rest, fields)
  }

  /// Takes the first of a group that fits.
  @_lifetime(self: copy self)
  private mutating func choose<Fields: RouteConditions & ~Copyable & ~Escapable>(
    from group: UInt32, rest: Int, _ fields: borrowing Fields
  ) -> Bool {
    for index in groups[Int(group)] {
      let candidate = candidates[Int(index)]
      guard candidate.listeners & listener != 0, holds(candidate.conditions, fields) else { continue }
      if candidate.methods.overlaps(method), !mustBeNamed || candidate.methods != .any {
        result = .route(Int(candidate.route), path: Int(candidate.path), rest: rest)
        return true
      }
      if candidate.methods != .any { allowed = allowed.union(candidate.methods) }
    }
    return false
  }

  private func holds<Fields: RouteConditions & ~Copyable & ~Escapable>(
    _ range: Range<UInt32>, _ fields: borrowing Fields
  ) -> Bool {
    for index in range where !holds(conditions[Int(index)], fields) { return false }
    return true
  }

  private func holds<Fields: RouteConditions & ~Copyable & ~Escapable>(
    _ condition: RouteTable.Condition, _ fields: borrowing Fields
  ) -> Bool {
    let name = text(condition.name)
    guard let range = condition.value else {
      return condition.isQuery ? fields.hasQuery(name) : fields.hasHeader(name)
    }
    let value = text(range)
    return condition.isQuery ? fields.hasQuery(name, value: value) : fields.hasHeader(name, value: value)
  }

  @_lifetime(copy self)
  private func text(_ range: Range<UInt32>) -> Span<UInt8> {
    conditionBytes.extracting(Int(range.lowerBound)..<Int(range.upperBound))
  }
}
