import AI
import PluginKit

/// What stands around each attempt: the provider's key, and the model's breaker.
extension ConversationCall {
  enum Beginning {
    case begun(CircuitBreaker.Pass?)
    case refused(Fault)
  }

  /// Begins an attempt with a key and the breaker's leave, if they are to be had.
  @inline(never)
  func attempt(_ candidate: ModelCandidate, _ request: ProviderRequest, now: Int) -> Beginning {
    let model = candidate.model.model
    var key: String?
    switch candidate.provider.key(for: model, now: now) {
    case .keyless: break
    case .key(let usable): key = usable
    case .none(let until):
      note(candidate, "no_usable_key")
      return .refused(Self.keyFault(until: until, now: now))
    }
    var pass: CircuitBreaker.Pass?
    switch candidate.provider.breaker(of: model)?.admit(now: now) {
    case .admitted(let admitted), .probe(let admitted, _): pass = admitted
    case .refused:
      note(candidate, "circuit_open")
      return .refused(.circuitOpen)
    case nil: break
    }
    begin(candidate, key, request)
    return .begun(pass)
  }

  /// The provider refused the key. That is the gateway's and not the client's, who would doubt its own at a 401.
  func keyFault(now: Int) -> Fault {
    guard case .none(let until) = provider.key(for: model.model, now: now) else { return .noUsableKey }
    return Self.keyFault(until: until, now: now)
  }

  private static func keyFault(until: Int, now: Int) -> Fault {
    var fault = Fault.noUsableKey
    fault.retryAfter = max(1, (until - now + 999_999_999) / 1_000_000_000)
    return fault
  }

  /// Tells the model's breaker: limits and refused keys say nothing of whether it works.
  ///
  /// - Parameter fault: why the attempt brought no answer; nil when it did.
  @inline(never)
  func tellBreaker(_ candidate: ModelCandidate, _ pass: CircuitBreaker.Pass?, _ fault: Fault?, now: Int) {
    guard let pass, let breaker = candidate.provider.breaker(of: candidate.model.model) else { return }
    let outcome: CircuitBreaker.Outcome
    if let failure = answer.failure {
      switch failure.kind {
      case .server, .timeout, .overloaded: outcome = .failure
      case .invalidRequest, .notFound, .tooLarge: outcome = .success
      case .authentication, .permission, .rateLimited, .quota: outcome = .abandoned
      }
    } else {
      // A whole answer is one, also where a prompt wants another.
      let isAnswered = answer.isOver
      outcome = fault.map { isAnswered ? .success : $0.origin == .upstream ? .failure : .abandoned } ?? .success
    }
    breaker.record(outcome, pass, now: now)
  }
}
