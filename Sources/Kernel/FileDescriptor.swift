import Glibc

/// A file descriptor that closes itself.
///
/// Noncopyable, so that exactly one owner exists and no fd is closed twice or leaked.
package struct FileDescriptor: ~Copyable {
  /// The kernel's number; borrowed, never stored by others.
  package let number: CInt

  package init(owning number: CInt) { self.number = number }

  deinit { if number >= 0 { close(number) } }

  /// Gives the number away without closing it.
  package consuming func release() -> CInt {
    let number = number
    discard self
    return number
  }
}

/// The outcome of one `recv` or `send`: a count, the end of the stream, "not now", or an error.
///
/// One machine word, because it is made several times a request.
package struct IOResult: Sendable {
  let raw: Int

  init(_ raw: Int) { self.raw = raw }

  /// Bytes moved; 0 at the end of the stream.
  package var count: Int { max(0, raw) }
  package var isEnd: Bool { raw == 0 }
  package var wouldBlock: Bool { raw == -Int(EAGAIN) }
  package var isError: Bool { raw < 0 && raw != -Int(EAGAIN) }
  /// The errno of an error.
  package var error: CInt { CInt(truncatingIfNeeded: -min(raw, 0)) }
}
