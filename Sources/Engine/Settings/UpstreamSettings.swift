public import Configuration

/// A service behind the gateway: its targets, and how they are called.
public struct UpstreamSettings: Sendable, Equatable {
  public enum Balance: String, Sendable, CaseIterable {
    case roundRobin = "round_robin"
    case leastRequest = "least_request"
    case randomTwo = "random_two"
    case hash
  }

  /// What its targets are spoken to in.
  public enum TargetProtocol: String, Sendable, CaseIterable {
    case http1 = "http/1.1"
    /// HTTP/2: agreed on under TLS, and with prior knowledge in the clear.
    case http2 = "h2"

    /// In the call log.
    var name: String { self == .http1 ? "HTTP/1.1" : "HTTP/2" }
    /// In metrics, as OpenTelemetry has it.
    var version: String { self == .http1 ? "1.1" : "2" }
  }

  /// Of an upstream that a route spells out as a URL, that URL.
  public var name: String
  public var balance: Balance
  /// Only with `hash`. A request without the value goes to a random target.
  public var hashKey: RequestValue?
  public var targets: [TargetSettings]
  public var timeouts: TimeoutSettings
  public var healthCheck: HealthCheckSettings?
  public var retries: RetrySettings
  public var circuitBreaker: CircuitBreakerSettings?
  public var outlierEjection: OutlierSettings?
  /// How long a target that is new or back gets less than its share. Nil: not at all.
  public var slowStart: Nanoseconds?
  public var hedge: HedgeSettings?
  public var connections: ConnectionSettings
  public var speaks: TargetProtocol
  /// For targets with `https://`. Nil: verified by whom the system trusts.
  public var tls: UpstreamTLSSettings?
  public var position: Position

  public init(
    name: String,
    balance: Balance = .roundRobin,
    hashKey: RequestValue? = nil,
    targets: [TargetSettings] = [],
    timeouts: TimeoutSettings = TimeoutSettings(),
    healthCheck: HealthCheckSettings? = nil,
    retries: RetrySettings = RetrySettings(),
    circuitBreaker: CircuitBreakerSettings? = nil,
    outlierEjection: OutlierSettings? = nil,
    slowStart: Nanoseconds? = nil,
    hedge: HedgeSettings? = nil,
    connections: ConnectionSettings = ConnectionSettings(),
    speaks: TargetProtocol = .http1,
    tls: UpstreamTLSSettings? = nil,
    position: Position = .none
  ) {
    self.name = name
    self.balance = balance
    self.hashKey = hashKey
    self.targets = targets
    self.timeouts = timeouts
    self.healthCheck = healthCheck
    self.retries = retries
    self.circuitBreaker = circuitBreaker
    self.outlierEjection = outlierEjection
    self.slowStart = slowStart
    self.hedge = hedge
    self.connections = connections
    self.speaks = speaks
    self.tls = tls
    self.position = position
  }
}

/// One origin of an upstream.
public struct TargetSettings: Sendable, Equatable {
  public enum Address: Sendable, Equatable {
    /// `host` is a name or an address, without brackets.
    case host(String, port: Int)
    case unix(path: String)
  }

  public var address: Address
  /// Whether it is spoken to under TLS.
  public var isSecure: Bool
  /// What the target is called in log and metrics: `HOST:PORT` or `unix:PATH`.
  public var name: String
  /// Its share beside the other targets'; at least 1.
  public var weight: Int

  public init(address: Address, name: String, weight: Int = 1, isSecure: Bool = false) {
    self.address = address
    self.isSecure = isSecure
    self.name = name
    self.weight = weight
  }
}

/// How long each part of a call to a target may take.
public struct TimeoutSettings: Sendable, Equatable {
  public var connect: Nanoseconds
  /// From the request's last byte to the answer's first.
  public var firstByte: Nanoseconds
  /// The longest silence of a target in the middle of an exchange.
  public var idle: Nanoseconds
  /// The whole call with its retries, unless the answer is a stream. Nil: no bound.
  public var total: Nanoseconds?
  /// The longest silence of a connection that was upgraded, both ways.
  public var tunnel: Nanoseconds

  public init(
    connect: Nanoseconds = .seconds(2),
    firstByte: Nanoseconds = .seconds(30),
    idle: Nanoseconds = .seconds(60),
    total: Nanoseconds? = nil,
    tunnel: Nanoseconds = .hours(1)
  ) {
    self.connect = connect
    self.firstByte = firstByte
    self.idle = idle
    self.total = total
    self.tunnel = tunnel
  }
}

/// How targets are probed while calls go on.
public struct HealthCheckSettings: Sendable, Equatable {
  public var path: String
  public var interval: Nanoseconds
  public var timeout: Nanoseconds
  /// Good answers in a row that bring a target back.
  public var healthyAfter: Int
  /// Bad answers in a row that take a target out.
  public var unhealthyAfter: Int

  public init(
    path: String,
    interval: Nanoseconds = .seconds(5),
    timeout: Nanoseconds = .seconds(1),
    healthyAfter: Int = 2,
    unhealthyAfter: Int = 3
  ) {
    self.path = path
    self.interval = interval
    self.timeout = timeout
    self.healthyAfter = healthyAfter
    self.unhealthyAfter = unhealthyAfter
  }
}

/// When a call is tried again, on another target.
public struct RetrySettings: Sendable, Equatable {
  /// Further attempts after the first; 0 turns retries off.
  public var maximum: Int
  public var onConnectFailure: Bool
  /// The connection broke before the first byte of an answer.
  public var onReset: Bool
  /// Answers that are tried again, 500 to 599.
  public var statuses: [Int]
  public var methods: [String]
  /// The share of requests that may be tried again beside a few that always may, 0 to 1.
  public var budget: Double

  public init(
    maximum: Int = 2,
    onConnectFailure: Bool = true,
    onReset: Bool = true,
    statuses: [Int] = [],
    methods: [String] = ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"],
    budget: Double = 0.2
  ) {
    self.maximum = maximum
    self.onConnectFailure = onConnectFailure
    self.onReset = onReset
    self.statuses = statuses
    self.methods = methods
    self.budget = budget
  }
}

/// When a target that fails too often is left alone for a while.
public struct CircuitBreakerSettings: Sendable, Equatable {
  /// 0 to 1.
  public var failureRatio: Double
  /// Calls within the window below which the ratio says nothing.
  public var minimumRequests: Int
  public var window: Nanoseconds
  public var openFor: Nanoseconds
  /// Calls let through at a time to find out whether the target is back.
  public var halfOpenRequests: Int

  public init(
    failureRatio: Double = 0.5,
    minimumRequests: Int = 20,
    window: Nanoseconds = .seconds(10),
    openFor: Nanoseconds = .seconds(5),
    halfOpenRequests: Int = 5
  ) {
    self.failureRatio = failureRatio
    self.minimumRequests = minimumRequests
    self.window = window
    self.openFor = openFor
    self.halfOpenRequests = halfOpenRequests
  }
}

/// The pool of connections to a target. Each worker has its own.
public struct ConnectionSettings: Sendable, Equatable {
  /// Open connections to one target.
  public var maximum: Int
  /// Connections to one target that are kept open while nobody uses them.
  public var idle: Int
  /// How long a connection is kept so.
  public var idleTimeout: Nanoseconds
  /// Calls that may wait for a connection; beyond: 503.
  public var queue: Int
  /// How long each of them waits; beyond: 503.
  public var queueTimeout: Nanoseconds

  public init(
    maximum: Int = 1024,
    idle: Int = 128,
    idleTimeout: Nanoseconds = .seconds(60),
    queue: Int = 1024,
    queueTimeout: Nanoseconds = .seconds(5)
  ) {
    self.maximum = maximum
    self.idle = idle
    self.idleTimeout = idleTimeout
    self.queue = queue
    self.queueTimeout = queueTimeout
  }
}
