public import Configuration
import HTTP
import Kernel
public import PluginKit

/// Takes part in distributed traces (W3C Trace Context level 1).
///
/// A valid `traceparent` is continued with the gateway as a new span between caller and target; without one, or with one
/// that is not valid, a trace begins. The ids stand in the call log, which is the gateway's record of its span.
public final class Trace: Plugin {
  public struct Settings: Sendable {
    /// Whether a caller's trace is continued.
    var accept = true
    /// How many of the traces that begin here are marked for recording, 0 to 1.
    var sample = 1.0
  }

  public static let section = Section(
    "trace", Settings(), "Takes part in distributed traces, by traceparent and tracestate.",
    [
      Keyword(
        "accept", \.accept, .boolean,
        "Whether a trace of the caller's is continued; with false every request begins one of its own."),
      Keyword(
        "sample", \.sample, .ratio,
        "How many of the traces that begin here are marked as sampled; one that is continued keeps its mark."),
    ])

  private let settings: Settings
  private var random = SplitMix(seed: KernelRandom.next())
  private let both = FieldNameSet(["traceparent", "tracestate"])
  private let parentOnly = FieldNameSet(["traceparent"])
  private var line = ByteBuffer(capacity: 64)

  public init(_ settings: Settings, _ services: any WorkerServices) { self.settings = settings }
}

extension Trace: RequestHeadHook {
  public func onRequestHead(_ exchange: inout Exchange) -> Verdict {
    let given = settings.accept ? Self.parent(of: exchange) : nil
    var trace = TraceContext()
    trace.traceHigh = given?.traceHigh ?? random.next()
    trace.traceLow = given?.traceLow ?? random.next() | 1
    trace.parent = given?.parent ?? 0
    trace.span = random.next() | 1
    trace.isSampled =
      given?.isSampled ?? (settings.sample >= 1 || Double.random(in: 0..<1, using: &random) < settings.sample)
    exchange.trace = trace
    if given != nil, Self.hasValidState(exchange) {
      exchange.request.removeHeaders(parentOnly)
    } else {
      exchange.request.removeHeaders(both)
    }
    line.removeAll()
    line.append("00-")
    line.append(sixteenDigits: trace.traceHigh)
    line.append(sixteenDigits: trace.traceLow)
    line.append("-")
    line.append(sixteenDigits: trace.span)
    line.append(trace.isSampled ? "-01" : "-00")
    Self.add(line, to: &exchange.request)
    return .proceed
  }

  /// What the one `traceparent` says; nil when there is none, there are several, or it is not valid.
  private static func parent(of exchange: borrowing Exchange) -> TraceParent? {
    var count = 0
    var parent: TraceParent?
    let name = ByteScan.bytes(of: "traceparent")
    exchange.request.head.headers.forEachValue(named: name, in: exchange.request.source) { value in
      count += 1
      parent = TraceParent(value)
    }
    return count == 1 ? parent : nil
  }

  private static func hasValidState(_ exchange: borrowing Exchange) -> Bool {
    var state = TraceState()
    let name = ByteScan.bytes(of: "tracestate")
    exchange.request.head.headers.forEachValue(named: name, in: exchange.request.source) { state.add($0) }
    return state.isValid
  }

  private static func add(_ line: borrowing ByteBuffer, to request: inout RequestMessage) {
    request.head.headers.add(.traceparent, line.span)
  }
}
