public import Kernel

/// One connected stream socket of a loop, TCP or Unix.
///
/// A read that returns less than it asked for has emptied the socket, unless the peer has closed.
open class Socket: Transport {
  private var descriptor: FileDescriptor
  private unowned let loop: Loop

  /// - Parameter connected: false while a connect is under way.
  public init(_ descriptor: consuming FileDescriptor, on loop: Loop, connected: Bool) throws(SocketError) {
    let number = descriptor.number
    self.descriptor = descriptor
    self.loop = loop
    super.init()
    isWritable = connected
    try loop.watch(number, self)
  }

  /// For the library that reads and writes in the socket's stead.
  public final var number: CInt { descriptor.number }

  open override func ready(_ readiness: Readiness) {
    if readiness.allowsReading { isReadable = true }
    if readiness.endsPeer { isPeerClosed = true }
    if readiness.allowsWriting { isWritable = true }
    waker?.ring(.socket)
  }

  open override func receive(into buffer: inout IOBuffer) -> IOResult {
    let wanted = buffer.room
    let result = buffer.receive(from: descriptor)
    if result.wouldBlock || (result.count > 0 && result.count < wanted && !isPeerClosed) { isReadable = false }
    return result
  }

  open override func send(_ bytes: Span<UInt8>, more: Bool = false) -> IOResult {
    let result = SocketCalls.send(bytes, to: descriptor, more: more)
    if result.count < bytes.count { isWritable = false }
    return result
  }

  open override var error: CInt { SocketCalls.error(of: descriptor) }

  open override var isQuiet: Bool { SocketCalls.isQuiet(descriptor) }

  open override func shutdownWrite() { SocketCalls.shutdownWrite(descriptor) }

  open override func close(reset: Bool = false) {
    guard isOpen else { return }
    isOpen = false
    isPeerClosed = true
    waker = nil
    if reset { SocketCalls.resetOnClose(descriptor) }
    loop.forget(self)
    descriptor = FileDescriptor(owning: -1)
  }
}
