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

/// The same for plugins that wait for something; costs some 25 ns more.
public protocol AsyncRequestHeadHook: AnyObject {
  func onRequestHead(_ exchange: inout Exchange) async -> Verdict
}

/// Sees the response's head before it is sent, the gateway's own answers too.
public protocol ResponseHeadHook: AnyObject {
  func onResponseHead(_ exchange: inout Exchange)
}

/// Sees the exchange once it is over, before its record is written.
public protocol LogHook: AnyObject {
  func onEnd(_ exchange: borrowing Exchange)
}

/// The hooks of a route on one worker, compiled once: requests in the order written, responses in reverse.
///
/// Two kinds of step in one list, because an `async` call to a hook that does not wait costs ten times a plain one.
public struct Chain {
  public enum RequestStep {
    case sync(any RequestHeadHook)
    case async(any AsyncRequestHeadHook)
  }

  public private(set) var requestHead: [RequestStep] = []
  public private(set) var responseHead: [any ResponseHeadHook] = []
  public private(set) var log: [any LogHook] = []
  /// Whether any request step is `async`.
  public private(set) var waits = false

  /// - Parameter plugins: in the order written.
  public init(_ plugins: [any Plugin]) {
    for plugin in plugins {
      if let hook = plugin as? any RequestHeadHook { requestHead.append(.sync(hook)) }
      if let hook = plugin as? any AsyncRequestHeadHook {
        requestHead.append(.async(hook))
        waits = true
      }
      if let hook = plugin as? any LogHook { log.append(hook) }
    }
    responseHead = plugins.reversed().compactMap { $0 as? any ResponseHeadHook }
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
    for step in requestHead {
      guard case .sync(let hook) = step else { continue }
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
