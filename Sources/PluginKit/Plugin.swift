public import Configuration

/// A step of the chain: one instance a worker, so it needs no lock. Its hooks are the protocols it conforms to.
///
/// The section of the configuration stands beside the code that it is for, so a plugin is complete in its folder.
public protocol Plugin: AnyObject, SendableMetatype {
  associatedtype Settings: Sendable
  /// What the instances of one entry have in common, on all workers; the settings where it is nothing else.
  associatedtype Shared: Sendable = Settings

  /// What the configuration says of it: its name, keywords, defaults and help.
  static var section: Section<Settings> { get }

  /// What it counts.
  static var metrics: [PluginMetric] { get }

  /// Makes what all workers share, once for each entry of the configuration.
  ///
  /// A reload that leaves the entry's settings as they were keeps it: buckets stay as full as they are.
  static func share(_ settings: Settings) throws(PluginError) -> Shared

  /// Which of the configuration's `stores` an entry uses; a configuration without them is refused.
  static func stores(of settings: Settings) -> [String]

  /// Whether an entry counts what calls of models cost; a configuration in which one has no price is refused then.
  static func needsPrices(_ settings: Settings) -> Bool
  /// Whether an entry reads or edits bodies of answers, which streams of models pass by: the operator is warned then.
  static func readsAnswers(_ settings: Settings) -> Bool
  /// The settings for judging a sample request, which must leave nothing behind where the entry's own would: in a file,
  /// for one. Stores and other services are not there for it, and its counters count for nobody.
  static func rehearsal(of settings: Settings) -> Settings

  /// What takes part in exchanges; the plugin itself where its settings do not say otherwise.
  var hooks: [AnyObject] { get }

  /// Why it decided so on a sample request, for the operator who asks: which rule, key and limit. Nil where there is
  /// nothing to say beside the verdict. It may cost what it likes, as no exchange calls it.
  func reason(for verdict: Verdict, of exchange: borrowing Exchange) -> String?

  /// Makes the instance of one worker for one entry of the configuration, whose mistakes were reported before.
  init(_ shared: Shared, _ services: any WorkerServices)
}

extension Plugin {
  public static var metrics: [PluginMetric] { [] }
  public static func stores(of settings: Settings) -> [String] { [] }
  public static func needsPrices(_ settings: Settings) -> Bool { false }
  public static func readsAnswers(_ settings: Settings) -> Bool { false }
  public static func rehearsal(of settings: Settings) -> Settings { settings }
  public var hooks: [AnyObject] { [self] }
  public func reason(for verdict: Verdict, of exchange: borrowing Exchange) -> String? { nil }
}

extension Plugin where Shared == Settings {
  public static func share(_ settings: Settings) throws(PluginError) -> Settings { settings }
}

/// Why a configuration without mistakes cannot run: memory that cannot be had, for one.
public struct PluginError: Error, Sendable {
  /// What is wrong and what to do.
  public let message: String

  public init(_ message: String) { self.message = message }
}

/// A plugin that configurations may name.
public struct PluginDefinition: Sendable {
  /// What the configuration says of it.
  public let declaration: PluginDeclaration
  public let metrics: [PluginMetric]
  /// Whether its entries share more than their settings, so that a reload must hand it on.
  public let hasShared: Bool
  private let findStores: @Sendable (any Sendable) -> [String]
  private let askPrices: @Sendable (any Sendable) -> Bool
  private let askReading: @Sendable (any Sendable) -> Bool
  private let makeShared: @Sendable (any Sendable) throws(PluginError) -> any Sendable
  private let makeRehearsal: @Sendable (any Sendable) -> any Sendable
  private let make: @Sendable (any Sendable, any WorkerServices) -> any Plugin

  public init<Kind: Plugin>(_ kind: Kind.Type) {
    declaration = PluginDeclaration(Kind.section)
    metrics = Kind.metrics
    hasShared = Kind.Shared.self != Kind.Settings.self
    findStores = { settings in (settings as? Kind.Settings).map { Kind.stores(of: $0) } ?? [] }
    askPrices = { settings in (settings as? Kind.Settings).map { Kind.needsPrices($0) } ?? false }
    askReading = { settings in (settings as? Kind.Settings).map { Kind.readsAnswers($0) } ?? false }
    makeShared = { settings throws(PluginError) in
      guard let settings = settings as? Kind.Settings else {
        preconditionFailure("the settings of a plugin are those that its section read")
      }
      return try Kind.share(settings)
    }
    makeRehearsal = { settings in (settings as? Kind.Settings).map { Kind.rehearsal(of: $0) } ?? settings }
    make = { shared, services in
      guard let shared = shared as? Kind.Shared else {
        preconditionFailure("what the instances of a plugin share is what it made for them")
      }
      return Kind(shared, services)
    }
  }

  public var name: String { declaration.name }

  /// The stores that an entry with these settings uses.
  public func stores(of settings: any Sendable) -> [String] { findStores(settings) }

  /// Whether an entry with these settings counts what calls of models cost.
  public func needsPrices(_ settings: any Sendable) -> Bool { askPrices(settings) }

  /// Whether an entry with these settings reads or edits bodies of answers.
  public func readsAnswers(_ settings: any Sendable) -> Bool { askReading(settings) }

  /// - Parameter settings: what `declaration` read.
  public func share(_ settings: any Sendable) throws(PluginError) -> any Sendable { try makeShared(settings) }

  /// The settings for judging a sample request.
  public func rehearsal(of settings: any Sendable) -> any Sendable { makeRehearsal(settings) }

  /// - Parameter shared: what `share` made.
  public func instance(_ shared: any Sendable, _ services: any WorkerServices) -> any Plugin {
    make(shared, services)
  }
}

/// The last step of a route: makes the response.
///
/// Forwarding to an upstream is the engine's own handler; those that answer by themselves conform to this.
public protocol Handler: AnyObject {
  /// Fills `exchange.response` and returns `.respond`, or fails.
  func handle(_ exchange: inout Exchange) async -> Verdict
}

/// What a worker offers to the plugins that live on it.
public protocol WorkerServices: AnyObject {
  /// Monotonic nanoseconds of this turn of the loop.
  var now: Int { get }
  /// Calls `action` on the worker after `nanoseconds`.
  func after(_ nanoseconds: Int, _ action: @escaping () -> Void)
  /// Starts work of the plugin's own on the worker, such as fetching a key set again and again.
  ///
  /// It is cancelled when no exchange can meet the plugin any more: when a reload has replaced its configuration and
  /// the exchanges before have ended, or when the worker ends. Waiting with `sleep` ends then.
  func start(_ body: @escaping () async -> Void)
  /// Waits, on the worker, until a bell is rung or the time is over.
  ///
  /// - Parameter register: gets the bell; false when there is nothing to wait for any more.
  func wait(_ nanoseconds: Int, _ register: (Bell) -> Bool) async
  /// Waits, on the worker; throws when the task was cancelled.
  func sleep(_ nanoseconds: Int) async throws(CancellationError)
  /// Calls other services; to be awaited on the worker.
  var client: any HTTPClient { get }
  /// A store of the configuration's section `stores`; nil when there is none of that name.
  func store(_ name: String) -> (any SharedStore)?
  /// The series of a metric that the plugin declares; the same one for the same labels.
  ///
  /// - Parameter labels: as many as the metric has.
  func counter(_ metric: PluginMetric, _ labels: [String]) -> PluginCounter
  /// The callers whom the configuration knows by name.
  var consumers: ConsumerDirectory { get }
}

extension WorkerServices {
  public var consumers: ConsumerDirectory { .none }
  public func wait(_ nanoseconds: Int, _ register: (Bell) -> Bool) async { _ = register(Bell {}) }
}

/// The non-blocking HTTP client that plugins and handlers share.
///
/// It goes through the pools of configured upstreams, with their balancer, health, breakers, timeouts and retries.
public protocol HTTPClient: AnyObject {
  /// Sends a request and gathers the whole response.
  ///
  /// - Throws: why there is no response. One with a status of 500 or more is a response, once retries are used up.
  func send(_ request: ClientRequest) async throws(Fault) -> ClientResponse
}

/// A small request of the gateway's own: a key set, an introspection, a probe.
public struct ClientRequest: Sendable {
  public var method: String
  /// The name of a configured upstream, whose limits and timeouts hold.
  public var upstream: String
  /// Path and query.
  public var target: String
  public var headers: [(name: String, value: String)]
  public var body: [UInt8]
  /// Nanoseconds for the whole call.
  public var timeout: Int
  /// A longer response is a fault.
  public var largestResponse: Int

  public init(
    method: String = "GET", upstream: String, target: String, headers: [(name: String, value: String)] = [],
    body: [UInt8] = [], timeout: Int = 5_000_000_000, largestResponse: Int = 1 << 20
  ) {
    self.method = method
    self.upstream = upstream
    self.target = target
    self.headers = headers
    self.body = body
    self.timeout = timeout
    self.largestResponse = largestResponse
  }
}

public struct ClientResponse: Sendable {
  public var status: Int
  public var headers: [(name: String, value: String)]
  public var body: [UInt8]

  public init(status: Int, headers: [(name: String, value: String)], body: [UInt8]) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  public func header(_ name: String) -> String? {
    let wanted = name.lowercased()
    return headers.first { $0.name.lowercased() == wanted }?.value
  }
}
