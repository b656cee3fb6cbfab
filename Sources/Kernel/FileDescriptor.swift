import Glibc

/// A file descriptor that closes itself.
///
/// Noncopyable, so that exactly one owner exists and no fd is closed twice or leaked.
public struct FileDescriptor: ~Copyable {
  /// The kernel's number; borrowed, never stored by others.
  public let number: CInt

  public init(owning number: CInt) { self.number = number }

  deinit { if number >= 0 { close(number) } }

  /// Gives the number away without closing it.
  public consuming func release() -> CInt {
    let number = number
    discard self
    return number
  }
}

/// The outcome of one `recv` or `send`: a count, the end of the stream, "not now", or an error.
///
/// One machine word, because it is made several times a request.
public struct IOResult: Sendable {
  let raw: Int

  init(_ raw: Int) { self.raw = raw }

  /// So many bytes were moved, for transports that are no descriptor; at least 1.
  public static func moved(_ count: Int) -> IOResult { IOResult(count) }
  public static var notNow: IOResult { IOResult(-Int(EAGAIN)) }
  public static var end: IOResult { IOResult(0) }
  /// The other side has broken the connection.
  public static var reset: IOResult { IOResult(-Int(ECONNRESET)) }

  /// Bytes moved; 0 at the end of the stream.
  public var count: Int { max(0, raw) }
  public var isEnd: Bool { raw == 0 }
  public var wouldBlock: Bool { raw == -Int(EAGAIN) }
  public var isError: Bool { raw < 0 && raw != -Int(EAGAIN) }
  /// The errno of an error.
  public var error: CInt { CInt(truncatingIfNeeded: -min(raw, 0)) }
}
