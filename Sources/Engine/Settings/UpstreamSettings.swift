package import Configuration

/// A service behind the gateway: its targets, and how they are called.
package struct UpstreamSettings: Sendable, Equatable {
  package enum Balance: String, Sendable, CaseIterable {
    case roundRobin = "round_robin"
    case leastRequest = "least_request"
    case randomTwo = "random_two"
    case hash
  }

  /// Of an upstream that a route spells out as a URL, that URL.
  package var name: String
  package var balance: Balance
  /// Only with `hash`. A request without the value goes to a random target.
  package var hashKey: RequestValue?
  package var targets: [TargetSettings]
  package var timeouts: TimeoutSettings
  package var healthCheck: HealthCheckSettings?
  package var retries: RetrySettings
  package var circuitBreaker: CircuitBreakerSettings?
  package var connections: ConnectionSettings
  package var position: Position

  package init(
    name: String,
    balance: Balance = .roundRobin,
    hashKey: RequestValue? = nil,
    targets: [TargetSettings] = [],
    timeouts: TimeoutSettings = TimeoutSettings(),
    healthCheck: HealthCheckSettings? = nil,
    retries: RetrySettings = RetrySettings(),
    circuitBreaker: CircuitBreakerSettings? = nil,
    connections: ConnectionSettings = ConnectionSettings(),
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
    self.connections = connections
    self.position = position
  }
}

/// One origin of an upstream.
package struct TargetSettings: Sendable, Equatable {
  package enum Address: Sendable, Equatable {
    /// `host` is a name or an address, without brackets.
    case host(String, port: Int)
    case unix(path: String)
  }

  package var address: Address
  /// What the target is called in log and metrics: `HOST:PORT` or `unix:PATH`.
  package var name: String
  /// Its share beside the other targets'; at least 1.
  package var weight: Int

  package init(address: Address, name: String, weight: Int = 1) {
    self.address = address
    self.name = name
    self.weight = weight
  }
}

/// How long each part of a call to a target may take.
package struct TimeoutSettings: Sendable, Equatable {
  package var connect: Nanoseconds
  /// From the request's last byte to the answer's first.
  package var firstByte: Nanoseconds
  /// The longest silence of a target in the middle of an exchange.
  package var idle: Nanoseconds
  /// The whole call with its retries, unless the answer is a stream. Nil: no bound.
  package var total: Nanoseconds?

  package init(
    connect: Nanoseconds = .seconds(2),
    firstByte: Nanoseconds = .seconds(30),
    idle: Nanoseconds = .seconds(60),
    total: Nanoseconds? = nil
  ) {
    self.connect = connect
    self.firstByte = firstByte
    self.idle = idle
    self.total = total
  }
}

/// How targets are probed while calls go on.
package struct HealthCheckSettings: Sendable, Equatable {
  package var path: String
  package var interval: Nanoseconds
  package var timeout: Nanoseconds
  /// Good answers in a row that bring a target back.
  package var healthyAfter: Int
  /// Bad answers in a row that take a target out.
  package var unhealthyAfter: Int

  package init(
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
package struct RetrySettings: Sendable, Equatable {
  /// Further attempts after the first; 0 turns retries off.
  package var maximum: Int
  package var onConnectFailure: Bool
  /// The connection broke before the first byte of an answer.
  package var onReset: Bool
  /// Answers that are tried again, 500 to 599.
  package var statuses: [Int]
  package var methods: [String]
  /// Retries in flight beside calls in flight, 0 to 1; three are always allowed.
  package var budget: Double

  package init(
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
package struct CircuitBreakerSettings: Sendable, Equatable {
  /// 0 to 1.
  package var failureRatio: Double
  /// Calls within the window below which the ratio says nothing.
  package var minimumRequests: Int
  package var window: Nanoseconds
  package var openFor: Nanoseconds
  /// Calls let through at a time to find out whether the target is back.
  package var halfOpenRequests: Int

  package init(
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
package struct ConnectionSettings: Sendable, Equatable {
  /// Open connections to one target.
  package var maximum: Int
  /// Connections to one target that are kept open while nobody uses them.
  package var idle: Int
  /// How long a connection is kept so.
  package var idleTimeout: Nanoseconds
  /// Calls that may wait for a connection; beyond: 503.
  package var queue: Int
  /// How long each of them waits; beyond: 503.
  package var queueTimeout: Nanoseconds

  package init(
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
