import Configuration
import Kernel

/// Notes what one plugin decided on each exchange, and how long it took.
///
/// It stands around the plugin's hooks, so a chain that is not observed has no trace of it.
public final class DecisionObserver {
  /// What the plugin decided on one exchange.
  public struct Decision: Sendable {
    /// `pass`, `refuse` or `answer`.
    public let word: StaticString
    /// In all its hooks for requests together, with what they waited for.
    public let nanoseconds: Int
  }

  /// The plugin's name in the configuration.
  public let plugin: String

  init(_ plugin: any Plugin) { self.plugin = Self.name(of: plugin) }

  private static func name<Kind: Plugin>(of plugin: Kind) -> String { Kind.section.name }

  /// What the request came to; nil when another plugin had decided before.
  public func decision(of exchange: borrowing Exchange) -> Decision? {
    guard let note = exchange.notes.value(of: self) else { return nil }
    let word: StaticString =
      switch note & 3 {
      case 0: "pass"
      case 1: "answer"
      default: "refuse"
      }
    return Decision(word: word, nanoseconds: Int(truncatingIfNeeded: note >> 2))
  }

  func around(_ hook: any RequestHeadHook) -> any RequestHeadHook { ObservedHead(hook, self) }
  func around(_ hook: any AsyncRequestHeadHook) -> any AsyncRequestHeadHook { ObservedWaitingHead(hook, self) }
  func around(_ hook: any RequestBodyHook) -> any RequestBodyHook { ObservedBody(hook, self) }

  fileprivate func note(_ verdict: Verdict, since began: Int, on exchange: inout Exchange) {
    let before = (exchange.notes.value(of: self) ?? 0) >> 2
    let word: UInt64 =
      switch verdict {
      case .proceed: 0
      case .respond: 1
      case .fail: 2
      }
    exchange.notes.set((before + UInt64(max(0, Clock.monotonic - began))) << 2 | word, for: self)
  }
}

private final class ObservedHead: RequestHeadHook {
  private let hook: any RequestHeadHook
  private let observer: DecisionObserver

  init(_ hook: any RequestHeadHook, _ observer: DecisionObserver) { (self.hook, self.observer) = (hook, observer) }

  func onRequestHead(_ exchange: inout Exchange) -> Verdict {
    let began = Clock.monotonic
    let verdict = hook.onRequestHead(&exchange)
    observer.note(verdict, since: began, on: &exchange)
    return verdict
  }
}

private final class ObservedWaitingHead: AsyncRequestHeadHook {
  private let hook: any AsyncRequestHeadHook
  private let observer: DecisionObserver

  init(_ hook: any AsyncRequestHeadHook, _ observer: DecisionObserver) {
    (self.hook, self.observer) = (hook, observer)
  }

  func onRequestHead(_ exchange: inout Exchange) async -> Verdict {
    let began = Clock.monotonic
    let verdict = await hook.onRequestHead(&exchange)
    observer.note(verdict, since: began, on: &exchange)
    return verdict
  }
}

private final class ObservedBody: RequestBodyHook {
  private let hook: any RequestBodyHook
  private let observer: DecisionObserver

  init(_ hook: any RequestBodyHook, _ observer: DecisionObserver) { (self.hook, self.observer) = (hook, observer) }

  var takesRequestBodies: Bool { hook.takesRequestBodies }
  func wantsRequestBody(_ exchange: inout Exchange) -> BodyWish? { hook.wantsRequestBody(&exchange) }

  func onRequestBody(_ exchange: inout Exchange) -> Verdict {
    let began = Clock.monotonic
    let verdict = hook.onRequestBody(&exchange)
    observer.note(verdict, since: began, on: &exchange)
    return verdict
  }
}
