public import Kernel

/// Unix signals as calls on a loop.
public final class SignalSource: EventSource {
  private let descriptor: SignalDescriptor
  private let handler: (Int32) -> Void

  /// Blocks the signals for the calling thread and those started from it afterwards.
  public init(_ signals: [Int32], on loop: Loop, _ handler: @escaping (Int32) -> Void) throws {
    descriptor = try SignalDescriptor(signals)
    self.handler = handler
    super.init()
    try loop.watchLevel(descriptor.number, self)
  }

  public override func ready(_ readiness: Readiness) {
    while let signal = descriptor.next() { handler(signal) }
  }
}
