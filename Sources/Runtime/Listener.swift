public import Kernel

/// A listening socket of one loop.
///
/// Level-triggered, a bounded number of connections a turn, so that a burst of them cannot starve those being served.
public final class Listener: EventSource {
  private let descriptor: FileDescriptor
  private unowned let loop: Loop
  private let accept: (consuming FileDescriptor, SocketAddress?) -> Void
  private let failed: (SocketError) -> Void
  private var isWatched = false
  private lazy var resume = Timer(loop) { [unowned self] in try? watch() }
  /// Whether a new connection may be taken now; asked before each.
  public var mayAccept: () -> Bool = { true }
  /// Told when a connection waits that may not be taken; once until one is taken again.
  public var held: () -> Void = {}
  private var isHeld = false

  private static let perTurn = 64
  /// How long a full table of descriptors or connections is left to empty before the next try.
  private static let pause = 20_000_000

  public init(
    _ descriptor: consuming FileDescriptor, on loop: Loop,
    accept: @escaping (consuming FileDescriptor, SocketAddress?) -> Void, failed: @escaping (SocketError) -> Void
  ) throws(SocketError) {
    self.descriptor = descriptor
    self.loop = loop
    self.accept = accept
    self.failed = failed
    super.init()
    try watch()
  }

  public override func ready(_ readiness: Readiness) { acceptWaiting(atMost: Self.perTurn) }

  /// Takes what the kernel has queued and stops listening; for the drain.
  public func finish() {
    acceptWaiting(atMost: 65_536)
    unwatch()
    resume.cancel()
  }

  /// Stops listening and leaves what the kernel has queued to another process that has the same socket.
  public func leave() {
    unwatch()
    resume.cancel()
  }

  /// The same socket under another number, for another process; nil when there is no descriptor left.
  public func duplicate() -> FileDescriptor? { SocketCalls.duplicate(descriptor) }

  private func acceptWaiting(atMost bound: Int) {
    for index in 0..<bound {
      guard mayAccept() else {
        // After others of this turn nobody may be waiting any more.
        if index == 0, !isHeld {
          isHeld = true
          held()
        }
        return rest()
      }
      do {
        guard let accepted = try SocketCalls.accept(from: descriptor) else { return }
        isHeld = false
        let peer = accepted.peer
        accept(accepted.take(), peer)
      } catch {
        failed(error)
        return rest()
      }
    }
  }

  private func rest() {
    unwatch()
    resume.arm(after: Self.pause)
  }

  private func watch() throws(SocketError) {
    guard !isWatched else { return }
    try loop.watchLevel(descriptor.number, self)
    isWatched = true
  }

  private func unwatch() {
    guard isWatched else { return }
    loop.unwatch(descriptor.number, self)
    isWatched = false
  }
}
