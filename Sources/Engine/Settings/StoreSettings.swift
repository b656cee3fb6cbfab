public import Configuration

/// A store that several gateways share: Redis or Valkey.
public struct StoreSettings: Sendable, Equatable {
  /// What plugins do while it is away.
  public enum Outage: String, Sendable, CaseIterable { case local, refuse }

  public var name = ""
  public var url = StoreURL(host: "localhost", port: 6379, isSecure: false, database: 0)
  /// For `rediss://`. Nil: verified by whom the system trusts.
  public var tls: UpstreamTLSSettings?
  public var username: String?
  public var password: Secret?
  public var unavailable = Outage.local
  public var timeout: Nanoseconds = .milliseconds(100)
  /// Calls that may wait for an answer, on each worker.
  public var queue = 1024
  /// Index into the gateway's upstreams: the one whose target the store is.
  public var upstream = 0
  public var position = Position.none

  static let section = Section(
    "store", StoreSettings(), "A store that several gateways share: Redis or Valkey.", shorthand: "url",
    [
      Keyword(
        "url", \.url, .storeURL, required: true,
        "redis://HOST:PORT/DATABASE, or rediss:// for TLS; redis+cluster:// and rediss+cluster:// for a node of a cluster."
      ),
      Keyword("tls", \.tls, .section(UpstreamTLSSettings.section), "How a store with rediss:// is spoken to."),
      Keyword("username", \.username, .text("name", limit: 200), "Who to log in as; unset: the default user."),
      Keyword("password", \.password, .secret, "With which password; unset: no login."),
      Keyword(
        "unavailable", \.unavailable, .choice,
        "While it is away: local counts in the gateway's own memory, refuse answers with 503."),
      Keyword(
        "timeout", \.timeout, .duration(in: .milliseconds(1) ... .seconds(10)),
        "How long a request waits for it; an answer that is later breaks the connection."),
      Keyword(
        "queue", \.queue, .integer(in: 1...100_000), "Requests that may wait for it, on each worker."),
    ],
    check: { store, node, reading in
      if store.tls != nil, !store.url.isSecure {
        reading.error(
          "`tls` means nothing without rediss://", at: (node.value(for: "tls") ?? node).position,
          expected: "rediss://HOST")
      }
      guard store.username != nil, store.password == nil else { return }
      reading.error(
        "a `username` logs in with a `password`", at: (node.value(for: "username") ?? node).position,
        expected: "a `password` too")
    })
}

extension StoreSettings {
  /// Whether nothing but its places in the file and among the upstreams differs.
  func isSame(as other: StoreSettings) -> Bool {
    var moved = other
    moved.position = position
    moved.upstream = upstream
    return self == moved
  }
}

/// Where a store is.
public struct StoreURL: Sendable, Equatable {
  public var host: String
  public var port: Int
  public var isSecure: Bool
  public var database: Int
  public var isCluster = false

  /// Host and port, as log and metrics call it.
  var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
  var scheme: String { (isSecure ? "rediss" : "redis") + (isCluster ? "+cluster" : "") }
  var text: String { "\(scheme)://\(authority)/\(database)" }

  static func parse(_ text: String) throws(ScalarMistake) -> StoreURL {
    guard let separator = text.firstRange(of: "://") else { throw .malformed }
    let scheme = text[..<separator.lowerBound]
    guard ["redis", "rediss", "redis+cluster", "rediss+cluster"].contains(scheme) else { throw .malformed }
    let isCluster = scheme.hasSuffix("+cluster")
    var rest = text[separator.upperBound...]
    if rest.utf8.contains(UInt8(ascii: "@")) {
      throw .other("a store's URL cannot hold a password", expected: "`password: ${NAME}` beside `url`")
    }
    var database = 0
    if let slash = rest.firstIndex(of: "/") {
      let path = rest[rest.index(after: slash)...]
      if !path.isEmpty {
        guard let number = Int(path), (0...1_000_000).contains(number) else { throw .malformed }
        database = number
      }
      rest = rest[..<slash]
    }
    if isCluster, database != 0 { throw .other("a cluster has no databases but 0", expected: "a URL without one") }
    guard let (host, port) = HostPort.split(String(rest)), port != 0, HostPort.isHost(host) else { throw .malformed }
    return StoreURL(
      host: host.lowercased(), port: port ?? 6379, isSecure: scheme.hasPrefix("rediss"), database: database,
      isCluster: isCluster)
  }
}

extension ValueType where Value == StoreURL {
  fileprivate static var storeURL: ValueType {
    scalar(
      ScalarShape("store", expectation: "redis://HOST:PORT/DATABASE or rediss://HOST:PORT/DATABASE"), text: \.text
    ) { text throws(ScalarMistake) in try StoreURL.parse(text) }
  }
}
