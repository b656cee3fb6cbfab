public import Kernel

/// A two-way stream of octets on one loop: what a connection reads requests from and writes answers to.
///
/// A socket, a socket under TLS, or a stream within another connection. Edge-triggered: the flags say what is known,
/// calls are tried first and clear a flag when the answer is "not now", and whatever sets one again rings the waker.
/// The flags are for subclasses to set; who uses a transport only reads them.
open class Transport: EventSource {
  /// Whether `receive` may have something: octets, or the end.
  public final var isReadable = false
  /// Whether `send` may take something; false too while a connect is under way.
  public final var isWritable = false
  /// The peer has closed its side, or the connection broke.
  public final var isPeerClosed = false
  public final var isOpen = true
  /// Rung when a flag was set.
  public final var waker: Waker?

  /// Reads once into the buffer's room, which must not be empty.
  open func receive(into buffer: inout IOBuffer) -> IOResult { preconditionFailure("a transport reads") }

  /// - Parameter more: more follows at once, so that small pieces may wait for it.
  open func send(_ bytes: Span<UInt8>, more: Bool = false) -> IOResult { preconditionFailure("a transport writes") }

  /// The pending error; 0 when there is none, as after a connect that succeeded.
  open var error: CInt { 0 }

  /// Whether the peer is still there and has sent nothing; may cost a system call.
  open var isQuiet: Bool { !isReadable && !isPeerClosed }

  /// Tells the peer that no more comes.
  open func shutdownWrite() {}

  /// Closes, and forgets the waker.
  ///
  /// - Parameter reset: drops what is queued and tells the peer so.
  open func close(reset: Bool = false) {}
}
