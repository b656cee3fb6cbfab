/// What a hook decided.
public enum Verdict: Sendable {
  case proceed
  /// `exchange.response` holds the answer; the handler and the remaining request hooks are passed over.
  case respond
  case fail(Fault)
}

/// Sees the request's head before the handler. Conforming is opting in.
public protocol RequestHeadHook: AnyObject {
  func onRequestHead(_ exchange: inout Exchange) -> Verdict
}

/// The same for plugins that wait for something; costs more even where it does not wait.
public protocol AsyncRequestHeadHook: AnyObject {
  func onRequestHead(_ exchange: inout Exchange) async -> Verdict
}

/// Sees the response's head before it is sent, the gateway's own answers too.
public protocol ResponseHeadHook: AnyObject {
  func onResponseHead(_ exchange: inout Exchange)
}

/// Sees the exchange once it is over, before its record is written. It is `inout` only to be passed by its address.
public protocol LogHook: AnyObject {
  func onEnd(_ exchange: inout Exchange)
}

/// The hooks of a route on one worker, compiled once: requests in the order written, responses in reverse.
///
/// Two kinds of step in one list, because an `async` call to a hook that does not wait costs several times a plain one.
public struct Chain {
  public enum RequestStep {
    case sync(any RequestHeadHook)
    case async(any AsyncRequestHeadHook)
  }

  public let requestHead: [RequestStep]
  public let responseHead: [any ResponseHeadHook]
  public let log: [any LogHook]
  /// Whether any request step is `async`.
  public let waits: Bool

  /// - Parameters:
  ///   - plugins: in the order written.
  ///   - innermost: hooks of what the route itself says, which stand behind all plugins.
  public init(_ plugins: [any Plugin], innermost: [AnyObject] = []) {
    var steps: [RequestStep] = []
    var waits = false
    let hooks = plugins.flatMap(\.hooks) + innermost
    for plugin in hooks {
      if let hook = plugin as? any RequestHeadHook { steps.append(.sync(hook)) }
      if let hook = plugin as? any AsyncRequestHeadHook {
        steps.append(.async(hook))
        waits = true
      }
    }
    requestHead = steps
    responseHead = hooks.reversed().compactMap { $0 as? any ResponseHeadHook }
    log = hooks.compactMap { $0 as? any LogHook }
    self.waits = waits
  }

  /// Runs the request hooks until one decides otherwise than to proceed.
  public func runRequestHead(_ exchange: inout Exchange) async -> Verdict {
    for step in requestHead {
      let verdict =
        switch step {
        case .sync(let hook): hook.onRequestHead(&exchange)
        case .async(let hook): await hook.onRequestHead(&exchange)
        }
      if case .proceed = verdict { continue }
      return verdict
    }
    return .proceed
  }

  /// The same for a chain in which no step waits.
  public func runRequestHeadAtOnce(_ exchange: inout Exchange) -> Verdict {
    for index in requestHead.indices {
      guard case .sync(let hook) = requestHead[index] else { continue }
      let verdict = hook.onRequestHead(&exchange)
      if case .proceed = verdict { continue }
      return verdict
    }
    return .proceed
  }

  public func runResponseHead(_ exchange: inout Exchange) {
    for hook in responseHead { hook.onResponseHead(&exchange) }
  }
}
