import Glibc
package import Kernel

/// A connected socket whose calls wait, but never longer than a deadline.
///
/// One thread may read while another writes.
package final class ByteStream: Sendable, Opaque {
  private struct State: ~Copyable {
    var descriptor: FileDescriptor
    var isOpen = true
  }

  private let number: CInt
  private let state: Lock<State>

  package init(_ descriptor: consuming FileDescriptor) {
    number = descriptor.release()
    state = Lock(State(descriptor: FileDescriptor(owning: number)))
  }

  package convenience init(to address: SocketAddress, until deadline: Deadline = .usual) throws {
    try self.init(SocketCalls.connect(to: address))
    try waitUntil(.writable, by: deadline)
    let error = state.withLock { SocketCalls.error(of: $0.descriptor) }
    if error != 0 { throw WireError.broken(error) }
  }

  /// Reads what is there, or waits for it; empty at the end of the stream.
  package func read(atMost count: Int = 64 << 10, until deadline: Deadline = .usual) throws(WireError) -> [UInt8] {
    while true {
      let (result, bytes) = receive(atMost: count)
      if !bytes.isEmpty || result == 0 { return bytes }
      if result != EAGAIN { throw .broken(result) }
      try waitUntil(.readable, by: deadline)
    }
  }

  /// Reads as `read` does and drops what came; returns how much it was, 0 at the end.
  package func discard(atMost count: Int = 256 << 10, until deadline: Deadline = .usual) throws(WireError) -> Int {
    while true {
      let result = state.withLock { state in IOBlock(count).receive(from: state.descriptor) }
      if result.count > 0 || result.isEnd { return result.count }
      if !result.wouldBlock { throw .broken(result.error) }
      try waitUntil(.readable, by: deadline)
    }
  }

  /// Bytes, and errno's number: 0 with no bytes is the end.
  private func receive(atMost count: Int) -> (Int32, [UInt8]) {
    state.withLock { state in
      guard state.isOpen else { return (EBADF, []) }
      let block = IOBlock(count)
      let result = block.receive(from: state.descriptor)
      return (result.error, block.bytes)
    }
  }

  package func write(_ bytes: [UInt8], until deadline: Deadline = .usual) throws(WireError) {
    var sent = 0
    while sent < bytes.count {
      let result = state.withLock { state in
        state.isOpen ? SocketCalls.send(bytes.span.extracting(sent..<bytes.count), to: state.descriptor) : nil
      }
      guard let result else { throw .broken(EBADF) }
      if result.isError { throw .broken(result.error) }
      sent += result.count
      if result.wouldBlock { try waitUntil(.writable, by: deadline) }
    }
  }

  package func write(_ text: String, until deadline: Deadline = .usual) throws(WireError) {
    try write(Array(text.utf8), until: deadline)
  }

  /// Writes what the kernel takes now and returns how much that was.
  package func writeSome(_ bytes: [UInt8]) throws(WireError) -> Int {
    let result = state.withLock { state in
      state.isOpen ? SocketCalls.send(bytes.span, to: state.descriptor) : nil
    }
    guard let result else { throw .broken(EBADF) }
    if result.isError { throw .broken(result.error) }
    return result.count
  }

  /// Says that no more bytes come.
  package func finishWriting() { state.withLock { SocketCalls.shutdownWrite($0.descriptor) } }

  package func close() { end(reset: false) }

  /// Closes in a way that the peer sees as broken.
  package func reset() { end(reset: true) }

  /// Ends both directions, which wakes a thread that waits; the descriptor stays until `close`.
  package func interrupt() { _ = Glibc.shutdown(number, Int32(SHUT_RDWR)) }

  private func end(reset: Bool) {
    state.withLock { state in
      guard state.isOpen else { return }
      state.isOpen = false
      if reset { SocketCalls.resetOnClose(state.descriptor) }
      state.descriptor = FileDescriptor(owning: -1)
    }
  }

  private func waitUntil(_ readiness: Readiness, by deadline: Deadline) throws(WireError) {
    do {
      let epoll = try Epoll()
      try epoll.add(number, for: readiness, cookie: 1)
      while epoll.wait(milliseconds: deadline.milliseconds) == 0 {
        if deadline.hasPassed { throw WireError.timedOut }
      }
    } catch let error as SocketError {
      throw .broken(error.code)
    } catch { throw .timedOut }
  }
}

/// Memory that a socket is read into.
private final class IOBlock {
  private let pool: BufferPool
  private var buffer = IOBuffer()

  init(_ count: Int) {
    pool = BufferPool(blockSize: count, keep: 0)
    buffer.lease(from: pool)
  }

  deinit { buffer.return(to: pool) }

  func receive(from descriptor: borrowing FileDescriptor) -> IOResult {
    buffer.removeAll()
    return buffer.receive(from: descriptor)
  }

  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(buffer.count)
    for index in 0..<buffer.count { bytes.append(buffer.readable[index]) }
    return bytes
  }
}
