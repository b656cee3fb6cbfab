public import Configuration
import Foreign
import Kernel
public import PluginKit

/// A configuration, compiled: immutable, shared by every worker, and replaced as a whole by a reload.
public final class Snapshot: Sendable {
  public let generation: Int
  public let settings: GatewaySettings
  public let table: RouteTable
  /// The route that each of the table's patterns belongs to.
  public let routeOfPattern: [Int32]
  public let upstreams: [Upstream]
  /// The number that conditions know each listener by.
  public let listenerIndices: [String: Int]
  let trusted: TrustedProxies
  /// By the name of the listener; those in the clear have none.
  let tls: [String: TLSServerContext]
  private let ticketKeys: TLSTicketKeys
  let plugins: CompiledPlugins
  let consumers: ConsumerDirectory
  /// What prompts with a cache have answered.
  public let promptAnswers: ModelAnswerStore

  /// Compiles settings that were read without mistakes.
  ///
  /// - Parameter previous: whose upstreams live on where nothing about them changed, with their health and breakers.
  public init(
    _ settings: GatewaySettings, plugins: PluginCatalog, previous: Snapshot?, generation: Int
  ) throws(SnapshotError) {
    self.settings = settings
    self.generation = generation
    consumers = ConsumerDirectory(settings.consumers)
    let capacity = settings.models?.promptCache ?? ModelSettings().promptCache
    if let kept = previous?.promptAnswers, kept.capacity == capacity {
      promptAnswers = kept
    } else {
      promptAnswers = ModelAnswerStore(capacity: capacity)
    }
    self.plugins = try CompiledPlugins(settings, plugins, previous: previous?.plugins)
    try settings.models?.checkPrices(settings, plugins)
    listenerIndices = Self.indices(of: settings.listeners, previous: previous?.listenerIndices ?? [:])
    let (patterns, routeOfPattern) = try Self.patterns(settings, listeners: listenerIndices)
    self.routeOfPattern = routeOfPattern
    table = try Self.table(patterns, settings)
    let known = Dictionary(
      (previous?.upstreams ?? []).map { ($0.settings.name, $0) }, uniquingKeysWith: { first, _ in first })
    var upstreams: [Upstream] = []
    upstreams.reserveCapacity(settings.upstreams.count)
    for upstream in settings.upstreams {
      let old = known[upstream.name]
      if let old, old.settings.isSame(as: upstream) {
        upstreams.append(old)
      } else {
        upstreams.append(Upstream(upstream, previous: old, tls: try upstream.makeContext()))
      }
    }
    self.upstreams = upstreams
    // Sessions begun before a reload go on after it.
    ticketKeys = previous?.ticketKeys ?? TLSTicketKeys()
    tls = try Self.contexts(of: settings.listeners, ticketKeys)
    trusted = TrustedProxies(settings.trustedProxies)
  }

  /// What plugins count of what callers use up.
  public var spendSources: [any SpendSource] { plugins.spendSources }

  /// Forgets stored answers; how many it were.
  public func purge(_ purge: AnswerPurge) -> Int { plugins.answerStores.reduce(0) { $0 + $1.purge(purge) } }

  private static func contexts(
    of listeners: [ListenerSettings], _ tickets: TLSTicketKeys
  ) throws(SnapshotError) -> [String: TLSServerContext] {
    var contexts: [String: TLSServerContext] = [:]
    for listener in listeners {
      guard let tls = listener.tls else { continue }
      do throws(TLSFailure) {
        contexts[listener.name] = try TLSServerContext(
          tls.certificates.compactMap(\.identity), minimum: tls.minimumVersion, protocols: listener.negotiable,
          clientCertificates: tls.clientCertificates, authority: tls.clientAuthority?.authority, tickets: tickets,
          scope: listener.name)
      } catch {
        throw SnapshotError(
          position: listener.position, message: "listener '\(listener.name)' cannot speak TLS: \(error)")
      }
    }
    return contexts
  }

  /// A listener that stays keeps its number, and a new one gets a number that no open connection has: sockets outlive
  /// snapshots, and a request must not pass for another listener's.
  private static func indices(of listeners: [ListenerSettings], previous: [String: Int]) -> [String: Int] {
    var next = (previous.values.max() ?? -1) + 1
    var taken = Set(previous.values)
    var indices: [String: Int] = [:]
    for listener in listeners {
      if let known = previous[listener.name] {
        indices[listener.name] = known
        continue
      }
      while taken.contains(next % largestIndex), taken.count < largestIndex { next += 1 }
      indices[listener.name] = next % largestIndex
      taken.insert(next % largestIndex)
      next += 1
    }
    return indices
  }

  /// The route table knows 64 listeners, of which the last is the admin port.
  private static let largestIndex = 63

  /// Routes that tie on some request, as diagnostics at the later place; the settings may have mistakes elsewhere.
  public static func conflicts(in settings: GatewaySettings) -> [Diagnostic] {
    let listeners = indices(of: settings.listeners, previous: [:])
    do throws(SnapshotError) {
      let (patterns, routeOfPattern) = try patterns(settings, listeners: listeners)
      return conflicts(try table(patterns, settings), settings.routes, routeOfPattern)
    } catch {
      return [Diagnostic(.error, at: error.position, message: error.message)]
    }
  }

  /// The same of settings that are compiled.
  public func conflicts() -> [Diagnostic] { Self.conflicts(table, settings.routes, routeOfPattern) }

  private static func conflicts(
    _ table: borrowing RouteTable, _ routes: [RouteSettings], _ routeOfPattern: [Int32]
  ) -> [Diagnostic] {
    table.conflicts().compactMap { conflict in
      let first = routes[Int(routeOfPattern[conflict.first])]
      let second = routes[Int(routeOfPattern[conflict.second])]
      // Of a name that stands twice it was said already.
      if first.name == second.name, first.position != second.position { return nil }
      if conflict.first != conflict.second, routeOfPattern[conflict.first] == routeOfPattern[conflict.second] {
        return repeated(conflict.second, of: second, routeOfPattern)
      }
      return Diagnostic(
        .error, at: second.position,
        message: "routes '\(first.name)' and '\(second.name)' match the same requests equally well",
        expected: "different paths, hosts, methods or conditions; '\(first.name)' is at line \(first.position.line)")
    }
  }

  /// Of a match that says again what another of the same route says.
  private static func repeated(_ pattern: Int, of route: RouteSettings, _ routeOfPattern: [Int32]) -> Diagnostic {
    var start = pattern
    while start > 0, routeOfPattern[start - 1] == routeOfPattern[pattern] { start -= 1 }
    return Diagnostic(
      .error, at: route.matches[pattern - start].position,
      message: "the route '\(route.name)' matches the same requests twice", expected: "each match once")
  }

  private static func table(_ patterns: [RoutePattern], _ settings: GatewaySettings) throws(SnapshotError) -> RouteTable
  {
    do { return try RouteTable(patterns, seed: KernelRandom.next()) } catch {
      throw SnapshotError(position: settings.routes.first?.position ?? .none, message: "\(error)")
    }
  }

  private static func patterns(
    _ settings: GatewaySettings, listeners: [String: Int]
  ) throws(SnapshotError) -> (patterns: [RoutePattern], routeOfPattern: [Int32]) {
    var patterns: [RoutePattern] = []
    var routeOfPattern: [Int32] = []
    patterns.reserveCapacity(settings.routes.count)
    for (index, route) in settings.routes.enumerated() {
      for match in route.matches {
        patterns.append(try pattern(match, route: route, listeners: listeners))
        routeOfPattern.append(Int32(index))
      }
    }
    return (patterns, routeOfPattern)
  }

  private static func pattern(
    _ match: MatchSettings, route: RouteSettings, listeners: [String: Int]
  ) throws(SnapshotError) -> RoutePattern {
    var paths: [PathTemplate] = []
    for path in match.paths {
      do { paths.append(try PathTemplate(parsing: path)) } catch {
        throw SnapshotError(position: match.position, message: "path '\(path)' of route '\(route.name)': \(error)")
      }
    }
    return RoutePattern(
      paths: paths, hosts: match.hosts, methods: match.methods,
      headers: match.headers.map { RouteCondition(name: $0.name, value: $0.value) },
      query: match.query.map { RouteCondition(name: $0.name, value: $0.value) },
      listeners: match.listeners.compactMap { listeners[$0] })
  }
}

/// Settings that cannot be compiled.
public struct SnapshotError: Error, Sendable {
  public let position: Position
  public let message: String
}

extension UpstreamSettings {
  /// How its targets with `https://` are spoken to; nil when there are none.
  fileprivate func makeContext() throws(SnapshotError) -> TLSClientContext? {
    guard targets.contains(where: \.isSecure) else { return nil }
    let tls = tls ?? UpstreamTLSSettings()
    do throws(TLSFailure) {
      return try TLSClientContext(
        authority: tls.authority?.authority, identity: tls.clientCertificate?.identity, verifies: tls.verify,
        protocols: [speaks.rawValue])
    } catch { throw SnapshotError(position: position, message: "upstream '\(name)' cannot speak TLS: \(error)") }
  }

  /// Whether nothing but its place in the file differs.
  func isSame(as other: UpstreamSettings) -> Bool {
    var moved = other
    moved.position = position
    return self == moved
  }
}

/// Whose word about the client is believed.
struct TrustedProxies: Sendable {
  private let ranges: [AddressRange]

  init(_ ranges: [AddressRange]) { self.ranges = ranges }

  var isEmpty: Bool { ranges.isEmpty }

  func contains(_ address: IPAddress) -> Bool {
    if address.isV4 { return ranges.contains { $0.contains(ipv4: address.v4) } }
    let whole = UInt128(address.high) << 64 | UInt128(address.low)
    return ranges.contains { $0.contains(ipv6: whole) }
  }
}
