/// Sees a call of a model once its conversation is decoded and the model is chosen, before anything is sent.
///
/// Runs in the order written, after all hooks of the head. It may refuse, which the client reads in its own dialect, or
/// answer; and it may hold a reservation, which is told how the call ended. A call of a model is always served by a task,
/// so there is only this one kind, which may wait.
public protocol ModelCallHook: AnyObject {
  func onModelCall(_ call: ModelCall, _ exchange: inout Exchange) async -> Verdict
  /// Whether it judges by what is said: then a form is read whole before, and what cannot be read is refused.
  var readsTexts: Bool { get }
}

extension ModelCallHook {
  public var readsTexts: Bool { false }
}

extension Chain {
  /// Whether any hook judges by what is said.
  public var readsModelTexts: Bool { modelCall.contains { $0.readsTexts } }

  /// Runs the hooks until one decides otherwise than to proceed.
  public func runModelCall(_ call: ModelCall, _ exchange: inout Exchange) async -> Verdict {
    for hook in modelCall {
      let verdict = await hook.onModelCall(call, &exchange)
      if case .proceed = verdict { continue }
      return verdict
    }
    return .proceed
  }
}
