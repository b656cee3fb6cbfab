import PluginKit

/// How one attempt at a target ended.
enum AttemptOutcome {
  /// The answer is complete at the client.
  case done
  /// It failed before anything of the answer was sent to the client.
  case failed(AttemptFailure)
  /// It cannot be tried again: the client's fault, or the answer has begun.
  case fault(Fault)

  var isFailure: Bool { if case .done = self { false } else { true } }

  /// For metrics.
  var word: String {
    switch self {
    case .done: ""
    case .failed(let failure): failure.kind.word
    case .fault(let fault): "\(fault.reason)"
    }
  }
}

/// A failure that another target might mend.
struct AttemptFailure {
  enum Kind {
    case connect
    /// A connection that had rested was closed by the target when the request came.
    case stale
    case reset
    /// One stream was broken off, while the connection that it shares with others goes on.
    case streamReset
    case firstByteTimeout
    case malformed
    case status(Int)

    /// For metrics.
    var word: String {
      switch self {
      case .connect: "connect"
      case .stale: "stale_connection"
      case .reset, .streamReset: "reset"
      case .firstByteTimeout: "first_byte_timeout"
      case .malformed: "malformed"
      case .status(let status): "\(status)"
      }
    }

    /// Whether it was decided already that this is tried again: an answer is only given up for a retry.
    var isDecided: Bool { if case .status = self { true } else { false } }

    var isStale: Bool { if case .stale = self { true } else { false } }
  }

  var kind: Kind
  var fault: Fault
  /// Whether any byte of the request may have reached the target.
  var sent: Bool
}

/// How far an attempt has come that a task takes over.
enum AttemptStage {
  /// The request is being sent, or its answer awaited.
  case sending
  /// The head of the answer is complete.
  case head
  /// The head was sent on, and the body is on its way.
  case relaying
  case ended(AttemptOutcome)
}
