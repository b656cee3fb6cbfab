/// The place of an exchange in a trace: which one it is, and the spans before and of the gateway (W3C Trace Context).
public struct TraceContext: Sendable, Equatable {
  /// The two halves of the trace's id; both 0 when there is no trace.
  public var traceHigh: UInt64 = 0
  public var traceLow: UInt64 = 0
  /// What the gateway is called in the trace: the parent of whatever the target does.
  public var span: UInt64 = 0
  /// Who called the gateway; 0 when the trace begins here.
  public var parent: UInt64 = 0
  public var isSampled = false

  public init() {}

  public var isActive: Bool { traceHigh | traceLow != 0 }
}
