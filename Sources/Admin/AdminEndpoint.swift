/// What the admin port answers: paths, methods, and a line of help each.
public enum AdminEndpoint: String, Sendable, CaseIterable {
  case index = "/"
  case health = "/healthz"
  case readiness = "/readyz"
  case metrics = "/metrics"
  case status = "/api/v1/status"
  case configuration = "/api/v1/config"
  case difference = "/api/v1/diff"
  case routes = "/api/v1/routes"
  case upstreams = "/api/v1/upstreams"
  case spend = "/api/v1/spend"
  case explain = "/api/v1/explain"
  case reload = "/api/v1/reload"
  case rollback = "/api/v1/rollback"
  case upgrade = "/api/v1/upgrade"
  case purge = "/api/v1/cache/purge"

  /// Who may ask.
  enum Access: Sendable {
    /// Anybody who can connect: balancers and supervisors have no token.
    case open
    case read
    case write
  }

  /// Whether a POST changes something here.
  var takesPost: Bool { self == .reload || self == .rollback || self == .upgrade || self == .purge }
  var takesGet: Bool { self != .rollback && self != .purge }

  /// For `Allow`.
  public var methods: String {
    switch self {
    case .reload, .upgrade: "GET, HEAD, POST"
    case .rollback, .purge: "POST"
    default: "GET, HEAD"
    }
  }

  var readAccess: Access {
    switch self {
    case .index, .health, .readiness: .open
    default: .read
    }
  }

  public var help: String {
    switch self {
    case .index: "this list"
    case .health: "200 while the process runs"
    case .readiness: "200 while it takes requests, 503 while it starts or drains; the body lists warnings"
    case .metrics: "Prometheus text, or OpenMetrics by Accept"
    case .status: "version, state, configuration, reloads, listeners"
    case .configuration: "the running configuration with its defaults; secrets are hidden"
    case .difference: "what a reload would change"
    case .routes: "the routes, ?offset=0&limit=1000"
    case .upstreams: "upstreams with their targets: health, breaker, connections"
    case .spend: "what callers have used of token limits and budgets, ?limit=1000"
    case .explain: "what becomes of a request: ?method=GET&url=/path&header=Name:%20value"
    case .reload: "POST: read the file and take it over; GET: how the last reload or rollback ended"
    case .rollback: "POST: go back to the configuration before"
    case .purge: "POST: forget stored answers: ?path=, ?prefix=, ?host=, ?route=, or ?all=true"
    case .upgrade: "POST: start a new process, which takes over, and drain; GET: how the last upgrade ended"
    }
  }
}
