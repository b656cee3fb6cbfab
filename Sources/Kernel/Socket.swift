import CLinux
import Glibc

/// What socket calls fail with.
public struct SocketError: Error, Sendable, CustomStringConvertible {
  public let call: StaticString
  public let code: CInt

  public init(call: StaticString, code: CInt) {
    self.call = call
    self.code = code
  }

  public var isAddressInUse: Bool { code == EADDRINUSE }
  public var isOutOfDescriptors: Bool { code == EMFILE || code == ENFILE }
  /// Whether this machine has no local address and port left, or no memory: that says nothing of the peer. An address of a
  /// kind that this machine does not have at all looks the same.
  public var isOutOfPorts: Bool { [EADDRNOTAVAIL, EAGAIN, ENOBUFS, ENOMEM].contains(code) }
  // SAFETY: the text is copied before another call on this thread may change it.
  public var description: String { unsafe "\(call): \(String(cString: strerror(code)))" }
}

/// A connection that a listener handed out.
public struct Accepted: ~Copyable {
  public let socket: FileDescriptor
  public let peer: SocketAddress?

  public consuming func take() -> FileDescriptor { socket }
}

/// The socket system calls, on descriptors that do not block.
public enum SocketCalls {
  /// A listening socket.
  ///
  /// - Parameters:
  ///   - shared: whether other workers of this process listen on the same port (`SO_REUSEPORT`).
  ///   - backlog: connections that the kernel may hold before they are accepted.
  public static func listen(
    on address: SocketAddress, shared: Bool, backlog: Int32 = 4096
  ) throws(SocketError) -> FileDescriptor {
    let socket = try open(address)
    if case .ip(let ip, _) = address {
      try check("setsockopt", cl_set_option(socket.number, SOL_SOCKET, SO_REUSEADDR, 1))
      if shared { try check("setsockopt", cl_set_option(socket.number, SOL_SOCKET, SO_REUSEPORT, 1)) }
      if !ip.isV4 { try check("setsockopt", cl_set_option(socket.number, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1)) }
    }
    let number = socket.number
    // SAFETY: the kernel copies the address before the call returns.
    let bound = unsafe address.withKernelForm { form, length in unsafe bind(number, form, length) == 0 ? 0 : -errno }
    try check("bind", bound)
    try check("listen", Glibc.listen(number, backlog) == 0 ? 0 : -errno)
    return socket
  }

  /// Whether something of another process listens at `address` already; asked before `SO_REUSEPORT` hides it.
  public static func isTaken(_ address: SocketAddress) -> Bool {
    switch address {
    case .ip:
      do {
        _ = try listen(on: address, shared: false, backlog: 1)
        return false
      } catch { return true }
    case .unix:
      guard let socket = try? open(address) else { return false }
      let number = socket.number
      // SAFETY: the kernel copies the address before the call returns.
      return unsafe address.withKernelForm { form, length in unsafe Glibc.connect(number, form, length) } == 0
    }
  }

  /// Starts to connect; the socket becomes writable when it has, or reports an error.
  public static func connect(to address: SocketAddress) throws(SocketError) -> FileDescriptor {
    let socket = try open(address)
    if case .ip = address { try check("setsockopt", cl_set_option(socket.number, Int32(IPPROTO_TCP), TCP_NODELAY, 1)) }
    let number = socket.number
    // SAFETY: the kernel copies the address before the call returns.
    let result = unsafe address.withKernelForm { form, length in
      unsafe Glibc.connect(number, form, length) == 0 ? 0 : -errno
    }
    if result != 0 && result != -EINPROGRESS { throw SocketError(call: "connect", code: -result) }
    return socket
  }

  /// Takes one waiting connection, with its peer's address; nil when none waits.
  public static func accept(
    from listener: borrowing FileDescriptor
  ) throws(SocketError) -> Accepted? {
    var peer = sockaddr_storage()
    var length: socklen_t = 0
    // SAFETY: the shim is told the storage's size and fills it.
    let number = unsafe cl_accept(listener.number, &peer, &length)
    switch -number {
    case ..<1: break
    case EAGAIN, ECONNABORTED, EINTR: return nil
    default: throw SocketError(call: "accept", code: -number)
    }
    return Accepted(socket: FileDescriptor(owning: number), peer: SocketAddress(kernelForm: peer))
  }

  /// Sends small writes at once; for TCP only, others ignore it.
  public static func setNoDelay(_ socket: borrowing FileDescriptor) {
    _ = cl_set_option(socket.number, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
  }

  /// Makes `close` send a reset and drop what is queued.
  public static func resetOnClose(_ socket: borrowing FileDescriptor) {
    var linger = linger(l_onoff: 1, l_linger: 0)
    // SAFETY: the option takes this struct.
    unsafe setsockopt(socket.number, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
  }

  /// Tells the peer that no more bytes come.
  public static func shutdownWrite(_ socket: borrowing FileDescriptor) {
    _ = shutdown(socket.number, Int32(SHUT_WR))
  }

  /// The pending error of a socket; 0 when there is none.
  public static func error(of socket: borrowing FileDescriptor) -> CInt { cl_socket_error(socket.number) }

  public static func send(_ bytes: Span<UInt8>, to socket: borrowing FileDescriptor, more: Bool = false) -> IOResult {
    let number = socket.number
    // SAFETY: the span is live for the call.
    return unsafe bytes.withUnsafeBufferPointer {
      unsafe IOResult(cl_send(number, $0.baseAddress, $0.count, more ? 1 : 0))
    }
  }

  /// Whether nothing has arrived and the peer is still there: asked before an idle connection is used for a
  /// request that must not be sent twice.
  public static func isQuiet(_ socket: borrowing FileDescriptor) -> Bool {
    var byte: UInt8 = 0
    // SAFETY: one byte is peeked into one byte.
    return unsafe recv(socket.number, &byte, 1, CInt(MSG_PEEK) | CInt(MSG_DONTWAIT)) < 0 && errno == EAGAIN
  }

  private static func open(_ address: SocketAddress) throws(SocketError) -> FileDescriptor {
    let number = cl_socket(address.family, Int32(SOCK_STREAM.rawValue), 0)
    try check("socket", number)
    return FileDescriptor(owning: number)
  }

  private static func check(_ call: StaticString, _ result: CInt) throws(SocketError) {
    if result < 0 { throw SocketError(call: call, code: -result) }
  }
}
