public import Kernel

/// All routes, compiled for matching: immutable and shared by every worker.
///
/// Paths are a tree of segments whose literal branches all live in one hash table, keyed by node and segment, so a
/// match costs the same however many routes there are. Where templates end stand the routes, grouped by host and
/// ordered by how many conditions they have. Only routes that share both template shape and host are tried one by one.
/// It is not copyable: whoever holds the configuration holds it, and matches borrow it.
public struct RouteTable: ~Copyable, Sendable {
  /// What was compiled; a route's index is its place here.
  public let patterns: [RoutePattern]
  /// The methods beside the standard ones that routes name.
  let extensions: [String]
  let nodes: [Node]
  let prefixes: [Prefix]
  /// Child nodes by (node, segment).
  let literals: ByteKeyTable
  let endings: [Ending]
  /// Groups by (ending × 2 + wildcard, host name).
  let hosts: ByteKeyTable
  let hasHosts: Bool
  let groups: [Range<UInt32>]
  /// Every group's candidates, best first.
  let candidates: [Candidate]
  let conditions: [Condition]
  let conditionBytes: [UInt8]

  /// A place in the tree of paths; `none` marks what it has not.
  struct Node {
    static let none = UInt32.max
    var hasLiterals = false
    var parameter = none
    /// The first of the branches for segments that begin in a certain way.
    var prefix = none
    /// The ending of a path that stops here.
    var exact = none
    /// The ending of a path that goes on in any way.
    var rest = none
  }

  /// A branch for segments that begin with a text and go on.
  struct Prefix {
    var text: Range<UInt32>
    var child: UInt32
    /// The next one of the same node, which is no longer.
    var next = Node.none
  }

  /// The routes whose template ends at a node.
  struct Ending {
    var hasExactHosts = false
    var hasWildcardHosts = false
    /// The group of routes for any host.
    var anyHost = Node.none
  }

  /// A route as it stands in a group.
  struct Candidate {
    var route: UInt32
    /// Which of the route's paths.
    var path: UInt32
    var methods: MethodMask
    /// Whether it takes HEAD only because it takes GET: a route that names HEAD goes first.
    var headIsImplied: Bool
    var rank: UInt32
    var listeners: UInt64
    var conditions: Range<UInt32>
  }

  struct Condition {
    var isQuery: Bool
    var name: Range<UInt32>
    /// nil: any value.
    var value: Range<UInt32>?
  }

  /// Compiles the routes.
  ///
  /// - Parameter seed: random, so that clients cannot guess collisions.
  public init(_ patterns: [RoutePattern], seed: UInt64) throws(RouteTableError) {
    var builder = try RouteTableBuilder(patterns, seed: seed)
    for index in patterns.indices { try builder.add(index) }
    let built = builder.finish()
    self.patterns = built.patterns
    extensions = built.extensions
    nodes = built.nodes
    prefixes = built.prefixes
    literals = built.literals
    endings = built.endings
    hosts = built.hosts
    hasHosts = built.hosts.count > 0
    groups = built.groups
    candidates = built.candidates
    conditions = built.conditions
    conditionBytes = built.conditionBytes
  }

  /// The methods of a set, as `Allow` names them.
  public func methodNames(_ methods: MethodMask) -> [String] { methods.names(extensions: extensions) }

  /// What `OPTIONS *` is told: the methods that some route takes, and OPTIONS itself. CONNECT reaches no route.
  public var serverMethods: String {
    var methods = MethodMask.options
    for candidate in candidates { methods = methods.union(candidate.methods) }
    return methodNames(methods).filter { $0 != "CONNECT" }.joined(separator: ", ")
  }

  /// Writes the value of the `Allow` field (RFC 9110 §10.2.1).
  public func appendAllow(_ methods: MethodMask, to buffer: inout ByteBuffer) {
    var isFirst = true
    for name in methodNames(methods) {
      if !isFirst { buffer.append(", ") }
      buffer.append(name)
      isFirst = false
    }
  }
}
