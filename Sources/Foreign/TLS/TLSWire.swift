import COpenSSL
import Glibc

/// How the library reads and writes a session's socket.
///
/// The library's own way would ask the kernel once more after each read to learn that nothing is left. This one knows:
/// a read that returns less than it asked for has emptied the socket.
enum TLSWire {
  // SAFETY: made once and never changed.
  nonisolated(unsafe) static let method: OpaquePointer = {
    // SAFETY: the name is copied; without memory for a few words at the start there is nothing to be done.
    let made = unsafe BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket")!
    unsafe BIO_meth_set_create(made, wireMade)
    unsafe BIO_meth_set_read(made, wireRead)
    unsafe BIO_meth_set_write(made, wireWrite)
    unsafe BIO_meth_set_ctrl(made, wireControl)
    return unsafe made
  }()
}

@c private func wireMade(_ wire: OpaquePointer?) -> CInt {
  // SAFETY: the library passes the object that it makes.
  unsafe BIO_set_init(wire, 1)
  return 1
}

@c private func wireRead(_ wire: OpaquePointer?, _ bytes: UnsafeMutablePointer<CChar>?, _ room: CInt) -> CInt {
  // SAFETY: the library passes room for `room` bytes; the session is the one that is calling.
  guard let session = unsafe session(of: wire) else { return -1 }
  unsafe co_bio_no_retry(wire)
  guard session.mayRead else {
    unsafe co_bio_retry(wire, 1)
    return -1
  }
  let count = unsafe recv(session.descriptor, bytes, Int(room), CInt(MSG_DONTWAIT))
  if count < 0 {
    if errno == EAGAIN || errno == EINTR {
      session.mayRead = errno == EINTR
      unsafe co_bio_retry(wire, 1)
    } else {
      session.errorNumber = errno
    }
    return -1
  }
  if count == 0 {
    session.hasEnded = true
    return 0
  }
  if count < Int(room), !session.peerHasClosed { session.mayRead = false }
  if session.isFirstRead {
    session.isFirstRead = false
    // A record with a handshake or an alert; whatever else a client begins with is not answered in TLS.
    let first = unsafe bytes?.pointee ?? 0
    if session.isServer, first != 0x16, first != 0x15 {
      session.isNotTLS = true
      return -1
    }
  }
  return CInt(count)
}

@c private func wireWrite(_ wire: OpaquePointer?, _ bytes: UnsafePointer<CChar>?, _ count: CInt) -> CInt {
  // SAFETY: the library passes `count` bytes; the session is the one that is calling.
  guard let session = unsafe session(of: wire) else { return -1 }
  unsafe co_bio_no_retry(wire)
  guard session.mayWrite else {
    unsafe co_bio_retry(wire, 0)
    return -1
  }
  let more = session.expectsMore ? CInt(MSG_MORE) : 0
  let flags = CInt(MSG_DONTWAIT) | CInt(MSG_NOSIGNAL) | more
  let sent = unsafe send(session.descriptor, bytes, Int(count), flags)
  if sent >= 0 { return CInt(sent) }
  if errno == EAGAIN || errno == EINTR {
    session.mayWrite = errno == EINTR
    unsafe co_bio_retry(wire, 0)
  } else {
    session.errorNumber = errno
  }
  return -1
}

@c private func wireControl(
  _ wire: OpaquePointer?, _ command: CInt, _ number: CLong, _ pointer: UnsafeMutableRawPointer?
) -> CLong {
  switch command {
  case BIO_CTRL_FLUSH: 1
  // SAFETY: the session is the one that is calling.
  case BIO_CTRL_EOF: unsafe session(of: wire)?.hasEnded == true ? 1 : 0
  default: 0
  }
}

private func session(of wire: OpaquePointer?) -> TLSSession? {
  // SAFETY: set by the session that owns the wire, and used in calls of that session only.
  unsafe BIO_get_data(wire).map { unsafe Unmanaged<TLSSession>.fromOpaque($0).takeUnretainedValue() }
}
