import Kernel

/// What all workers know together of a provider: which of its keys are refused or limited, and which of its models fail.
///
/// It lives with the provider's upstream, and so outlives reloads.
final class ModelHealth: Sendable {
  private struct State {
    /// Until when a key is left alone, for all models or one, in monotonic nanoseconds.
    var blocked: [String: Int] = [:]
    var breakers: [String: (limits: CircuitBreakerLimits, breaker: CircuitBreaker)] = [:]
    var turn = 0
  }

  enum KeyChoice: Equatable {
    case key(String)
    /// The provider asks for none.
    case keyless
    /// All are left alone, until then.
    case none(until: Int)
  }

  private let state = Lock(State())

  /// The next key that may be used for a model, each in its turn.
  func key(of keys: [String], for model: String, now: Int) -> KeyChoice {
    if keys.isEmpty { return .keyless }
    return state.withLock { state in
      state.turn = (state.turn + 1) % keys.count
      if state.blocked.isEmpty { return .key(keys[state.turn]) }
      var earliest = Int.max
      for step in keys.indices {
        let key = keys[(state.turn + step) % keys.count]
        let until = max(state.blocked[key] ?? 0, state.blocked[Self.name(key, model)] ?? 0)
        if until <= now { return .key(key) }
        earliest = min(earliest, until)
      }
      return .none(until: earliest)
    }
  }

  /// Leaves a key alone for a time.
  ///
  /// - Parameter model: nil: for all models.
  func block(_ key: String, for model: String?, until: Int, now: Int) {
    state.withLock { state in
      // Clients make up names of models: what has passed is forgotten before there is too much of it.
      if state.blocked.count >= Self.mostBlocked { state.blocked = state.blocked.filter { $0.value > now } }
      if state.blocked.count >= Self.mostBlocked { return }
      let name = model.map { Self.name(key, $0) } ?? key
      state.blocked[name] = max(until, state.blocked[name] ?? 0)
    }
  }

  /// The model's breaker; a new one where a reload has other limits.
  func breaker(of model: String, _ limits: CircuitBreakerLimits) -> CircuitBreaker {
    state.withLock { state in
      if let known = state.breakers[model], known.limits == limits { return known.breaker }
      let breaker = CircuitBreaker(limits)
      state.breakers[model] = (limits, breaker)
      return breaker
    }
  }

  private static func name(_ key: String, _ model: String) -> String { "\(key) \(model)" }

  private static let mostBlocked = 4096
}
