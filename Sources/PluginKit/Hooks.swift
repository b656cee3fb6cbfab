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

/// The same for plugins that seldom wait: what they can decide at once costs no more than a plain hook.
public protocol PatientRequestHeadHook: AsyncRequestHeadHook {
  /// Nil, with nothing changed, when it must wait: then `onRequestHead` is called.
  func tryRequestHead(_ exchange: inout Exchange) -> Verdict?
}

/// Sees what an upstream answers, as it came and before any other hook does: for caches.
///
/// The innermost one is asked first. Who puts a response of the gateway's own in its place (`response.begin`) says true,
/// and the answer is dropped.
public protocol AnswerHook: AnyObject {
  func onAnswer(_ exchange: inout Exchange) -> Bool
  /// There is no answer: true when the hook has made one.
  func onFailure(_ fault: Fault, _ exchange: inout Exchange) -> Bool
  /// The request goes to a fallback upstream, which knows nothing of what the first one has said: true when the hook has
  /// changed the request's head for that.
  func onFallback(_ exchange: inout Exchange) -> Bool
}

/// Sees the response's head before it is sent, the gateway's own answers too.
public protocol ResponseHeadHook: AnyObject {
  func onResponseHead(_ exchange: inout Exchange)
}

/// How a hook wants a body: whole, and no longer than it can hold.
public struct BodyWish: Sendable {
  /// In bytes, once it is out of its content coding. A longer request body is refused with 413.
  public var limit: Int
  /// What becomes of a response body that is longer or in a coding that Sluice does not know: it is passed on as it
  /// is, or the answer is a 502.
  public var passesUnread: Bool
  /// Whether the body of a response is held also where it is a stream of events, which its client gets at once then.
  public var holdsStreams: Bool

  public init(limit: Int, passesUnread: Bool = false, holdsStreams: Bool = false) {
    self.limit = limit
    self.passesUnread = passesUnread
    self.holdsStreams = holdsStreams
  }
}

/// Sees the request's whole body, out of its framing and content coding, in `exchange.request.body`.
///
/// Body hooks run in the order written, once all head hooks have let the request pass; nothing has been forwarded yet.
public protocol RequestBodyHook: AnyObject {
  /// Whether any request's body is wanted, by the configuration; where none is, routes pay nothing.
  var takesRequestBodies: Bool { get }
  /// Whether this one's is. Asked again before the hook runs, as hooks before it may have changed the request.
  func wantsRequestBody(_ exchange: inout Exchange) -> BodyWish?
  func onRequestBody(_ exchange: inout Exchange) -> Verdict
}

/// Sees the whole body of a response in `exchange.response.body`: of an upstream's or a handler's, but of no fault's.
///
/// The head is held back until the body is complete. Body hooks run in reverse, before the hooks of the head.
public protocol ResponseBodyHook: AnyObject {
  var takesResponseBodies: Bool { get }
  func wantsResponseBody(_ exchange: inout Exchange) -> BodyWish?
  /// Proceeds or fails.
  func onResponseBody(_ exchange: inout Exchange) -> Verdict
}

/// Sees the exchange once it is over, before its record is written. It is `inout` only to be passed by its address.
public protocol LogHook: AnyObject {
  func onEnd(_ exchange: inout Exchange)
}

/// The hooks of a route on one worker, compiled once: requests in the order written, responses in reverse.
///
/// Two kinds of step in one list, because an `async` call to a hook that does not wait costs several times a plain one.
/// A class, as each use of a structure would count references for each of its lists.
public final class Chain {
  public enum RequestStep {
    case sync(any RequestHeadHook)
    case async(any AsyncRequestHeadHook)
    case patient(any PatientRequestHeadHook)
  }

  public let requestHead: [RequestStep]
  public let responseHead: [any ResponseHeadHook]
  public let requestBody: [any RequestBodyHook]
  public let responseBody: [any ResponseBodyHook]
  public let modelCall: [any ModelCallHook]
  public let answer: [any AnswerHook]
  public let log: [any LogHook]
  /// What notes the decisions of each plugin, in their order; none where nobody asked for it.
  public let observers: [DecisionObserver]
  /// Whether any request step is `async`.
  public let waits: Bool

  /// - Parameters:
  ///   - plugins: in the order written.
  ///   - innermost: hooks of what the route itself says, which stand behind all plugins.
  ///   - isObserved: whether what each plugin decides is noted. It costs two readings of the clock for each, and nothing
  ///     where it is not asked for.
  public init(_ plugins: [any Plugin], innermost: [AnyObject] = [], isObserved: Bool = false) {
    var steps: [RequestStep] = []
    var bodies: [any RequestBodyHook] = []
    var observers: [DecisionObserver] = []
    for plugin in plugins {
      let observer = isObserved ? DecisionObserver(plugin) : nil
      if let observer { observers.append(observer) }
      for hook in plugin.hooks { Self.add(hook, observer, &steps, &bodies) }
    }
    for hook in innermost { Self.add(hook, nil, &steps, &bodies) }
    let hooks = plugins.flatMap(\.hooks) + innermost
    requestHead = steps
    responseHead = hooks.reversed().compactMap { $0 as? any ResponseHeadHook }
    requestBody = bodies
    responseBody = hooks.reversed().compactMap { $0 as? any ResponseBodyHook }.filter { $0.takesResponseBodies }
    modelCall = hooks.compactMap { $0 as? any ModelCallHook }
    answer = hooks.reversed().compactMap { $0 as? any AnswerHook }
    log = hooks.compactMap { $0 as? any LogHook }
    self.observers = observers
    waits = steps.contains { if case .async = $0 { true } else { false } }
  }

  private static func add(
    _ hook: AnyObject, _ observer: DecisionObserver?, _ steps: inout [RequestStep],
    _ bodies: inout [any RequestBodyHook]
  ) {
    if let head = hook as? any RequestHeadHook { steps.append(.sync(observer?.around(head) ?? head)) }
    if observer == nil, let head = hook as? any PatientRequestHeadHook {
      steps.append(.patient(head))
    } else if let head = hook as? any AsyncRequestHeadHook {
      steps.append(.async(observer?.around(head) ?? head))
    }
    if let body = hook as? any RequestBodyHook, body.takesRequestBodies {
      bodies.append(observer?.around(body) ?? body)
    }
  }

  /// Runs the request hooks, from where `tryRequestHead` stopped, until one decides otherwise than to proceed.
  public func runRequestHead(_ exchange: inout Exchange) async -> Verdict {
    for index in exchange.nextStep..<requestHead.count {
      let verdict =
        switch requestHead[index] {
        case .sync(let hook): hook.onRequestHead(&exchange)
        case .async(let hook): await hook.onRequestHead(&exchange)
        case .patient(let hook): await hook.onRequestHead(&exchange)
        }
      if case .proceed = verdict { continue }
      return verdict
    }
    return .proceed
  }

  /// The same without waiting; nil when a step must, with which `runRequestHead` goes on.
  public func tryRequestHead(_ exchange: inout Exchange) -> Verdict? {
    if waits { return nil }
    for index in requestHead.indices {
      let verdict: Verdict
      switch requestHead[index] {
      case .sync(let hook): verdict = hook.onRequestHead(&exchange)
      case .async: continue
      case .patient(let hook):
        guard let decided = hook.tryRequestHead(&exchange) else {
          exchange.nextStep = index
          return nil
        }
        verdict = decided
      }
      if case .proceed = verdict { continue }
      return verdict
    }
    return .proceed
  }

  /// The same for a chain in which no step waits.
  public func runRequestHeadAtOnce(_ exchange: inout Exchange) -> Verdict { tryRequestHead(&exchange) ?? .proceed }

  /// Whether a hook has put another answer in the place of the upstream's.
  public func runAnswer(_ exchange: inout Exchange) -> Bool {
    for hook in answer where hook.onAnswer(&exchange) { return true }
    return false
  }

  /// Whether a hook has an answer although the upstream has none.
  public func runFailure(_ fault: Fault, _ exchange: inout Exchange) -> Bool {
    for hook in answer where hook.onFailure(fault, &exchange) { return true }
    return false
  }

  /// Whether a hook has changed the request for a fallback upstream.
  public func runFallback(_ exchange: inout Exchange) -> Bool {
    var isChanged = false
    for hook in answer where hook.onFallback(&exchange) { isChanged = true }
    return isChanged
  }

  public func runResponseHead(_ exchange: inout Exchange) {
    for hook in responseHead { hook.onResponseHead(&exchange) }
  }
}
