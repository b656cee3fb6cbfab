import Kernel

/// One fetch that several requests for the same thing wait for.
public final class Flight: Sendable {
  private struct State {
    var bells: [Bell] = []
    var isOver = false
  }

  private let state = Lock(State())

  public init() {}

  /// More do not wait, and fetch for themselves.
  private static let mostWaiting = 10_000

  /// False when there is nothing to wait for: it is over, or too many wait.
  public func join(_ bell: Bell) -> Bool {
    state.withLock { state in
      if state.isOver || state.bells.count >= Self.mostWaiting { return false }
      state.bells.append(bell)
      return true
    }
  }

  /// However it went: those who waited look for themselves.
  public func end() {
    let bells = state.withLock { state -> [Bell] in
      state.isOver = true
      let bells = state.bells
      state.bells = []
      return bells
    }
    for bell in bells { bell.ring() }
  }
}
