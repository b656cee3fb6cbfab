public import Kernel

/// One connected stream socket of a loop, TCP or Unix.
///
/// Edge-triggered: the flags say what is known, calls are tried first and clear a flag when the kernel says "not
/// now", and events set it again and ring the waker. A read that returns less than it asked for has emptied the
/// socket, unless the peer has closed.
public final class Socket: EventSource {
  private var descriptor: FileDescriptor
  private unowned let loop: Loop
  package private(set) var isReadable = false
  package private(set) var isWritable: Bool
  /// The peer has closed its side, or the connection broke.
  package private(set) var isPeerClosed = false
  package private(set) var isOpen = true
  public var waker: Waker?

  /// - Parameter connected: false while a connect is under way.
  public init(_ descriptor: consuming FileDescriptor, on loop: Loop, connected: Bool) throws(SocketError) {
    let number = descriptor.number
    self.descriptor = descriptor
    self.loop = loop
    isWritable = connected
    super.init()
    try loop.watch(number, self)
  }

  public override func ready(_ readiness: Readiness) {
    if readiness.allowsReading { isReadable = true }
    if readiness.endsPeer { isPeerClosed = true }
    if readiness.allowsWriting { isWritable = true }
    waker?.ring(.socket)
  }

  /// Reads once into the buffer's room, which must not be empty.
  public func receive(into buffer: inout IOBuffer) -> IOResult {
    let wanted = buffer.room
    let result = buffer.receive(from: descriptor)
    if result.wouldBlock || (result.count > 0 && result.count < wanted && !isPeerClosed) { isReadable = false }
    return result
  }

  public func send(_ bytes: Span<UInt8>, more: Bool = false) -> IOResult {
    let result = SocketCalls.send(bytes, to: descriptor, more: more)
    if result.count < bytes.count { isWritable = false }
    return result
  }

  public func send(_ first: Span<UInt8>, _ second: Span<UInt8>) -> IOResult {
    let result = SocketCalls.send(first, second, to: descriptor)
    if result.count < first.count + second.count { isWritable = false }
    return result
  }

  /// The pending error; 0 when there is none, as after a connect that succeeded.
  public var error: CInt { SocketCalls.error(of: descriptor) }

  /// Whether the peer is still there and has sent nothing; costs a system call.
  public var isQuiet: Bool { SocketCalls.isQuiet(descriptor) }

  public func shutdownWrite() { SocketCalls.shutdownWrite(descriptor) }

  /// Closes, and forgets the waker.
  ///
  /// - Parameter reset: drops what is queued and tells the peer so.
  public func close(reset: Bool = false) {
    guard isOpen else { return }
    isOpen = false
    isPeerClosed = true
    waker = nil
    if reset { SocketCalls.resetOnClose(descriptor) }
    loop.forget(self)
    descriptor = FileDescriptor(owning: -1)
  }
}
