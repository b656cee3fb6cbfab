public import Configuration

/// What a configuration does with a request, and why.
public struct Explanation: Sendable {
  /// A route that could have been meant, and what kept it from being taken.
  public struct Candidate: Sendable {
    public let route: String
    public let position: Position
    /// The path template that fits; nil when none does.
    public let template: String?
    /// Such as `it does not take GET, but POST`.
    public let reason: String
  }

  /// The way of a request that is taken in.
  public struct Way: Sendable {
    public let route: RouteSettings
    public let template: String
    public let parameters: [(name: String, value: String)]
    /// Names in the order in which requests pass them.
    public let plugins: [String]
    /// The largest body, in bytes.
    public let requestBody: Int
    /// What the upstream is sent; nil when the gateway answers by itself.
    public let forward: Forward?
  }

  /// What goes to the upstream.
  public struct Forward: Sendable {
    /// What a split divides by, and among whom; nil without one.
    public let split: String?
    /// Of a split the one that the request goes to, or the largest where chance decides.
    public let upstream: UpstreamSettings
    public let method: String
    public let target: String
    public let host: String
    /// With what the route sets anew.
    public let timeouts: TimeoutSettings
  }

  /// Why the gateway refuses it.
  public struct Refusal: Sendable {
    public let status: Int
    public let code: String
    public let detail: String
    /// The plugin that does; nil where the gateway itself does.
    public internal(set) var plugin: String?
  }

  /// What a plugin of the route would decide.
  public struct Decision: Sendable {
    public enum Verdict: String, Sendable {
      case pass, refuse, answer
      /// It would have to ask a store or a service, which an explanation does not.
      case unknown
      /// A plugin before it has decided.
      case skipped
    }

    public let plugin: String
    public internal(set) var verdict: Verdict
    /// The status of a refusal or an answer; nil where there is none.
    public internal(set) var status: Int?
    /// The stable word of a refusal, as the call log has it.
    public internal(set) var code: String?
    /// Which rule, key and limit, or who the caller is; empty where the verdict says it all.
    public internal(set) var reason: String
  }

  public let method: String
  /// Normalised, as routes see it; empty when the request cannot be read.
  public internal(set) var path = ""
  public internal(set) var host = ""
  public let listener: String
  public internal(set) var way: Way?
  public internal(set) var refusal: Refusal?
  /// Of the route's plugins, in their order; empty for a request that does not come to them.
  public internal(set) var decisions: [Decision] = []
  /// What the gateway, or a plugin of the route, answers by itself.
  public internal(set) var answer: String?
  /// Those that came closest, the closest first.
  public internal(set) var candidates: [Candidate] = []
  /// How many more routes there are that are not taken.
  public internal(set) var others = 0

  /// Whether it comes to the route's handler, as far as can be told.
  var isHandled: Bool { refusal == nil && answer == nil }

  init(method: String, listener: String) {
    self.method = method
    self.listener = listener
  }
}

/// A question that no answer can be given to.
public struct ExplanationError: Error, Sendable, CustomStringConvertible {
  public let description: String
}
