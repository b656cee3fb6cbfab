import Glibc

/// Why a system call failed.
public struct Errno: Error, Equatable, Hashable, Sendable {
  /// The kernel's number, as in errno(3).
  public let number: Int32

  public init(_ number: Int32) { self.number = number }

  /// What the calling thread's last failed call left in `errno`.
  public static var last: Errno { Errno(errno) }

  public static let again = Errno(EAGAIN)
  public static let brokenPipe = Errno(EPIPE)
  public static let exists = Errno(EEXIST)
  public static let interrupted = Errno(EINTR)
  public static let inputOutput = Errno(EIO)
  public static let inUse = Errno(EADDRINUSE)
  public static let noAddress = Errno(EADDRNOTAVAIL)
  public static let invalid = Errno(EINVAL)
  public static let isDirectory = Errno(EISDIR)
  public static let noEntry = Errno(ENOENT)
  public static let noSpace = Errno(ENOSPC)
  public static let notDirectory = Errno(ENOTDIR)
  public static let notPermitted = Errno(EACCES)

  /// The symbolic name, `ENOSPC`; `E28` style for those not listed.
  public var name: String {
    Errno.names[number] ?? "E\(number)"
  }

  /// The C library's sentence, `No space left on device`.
  public var message: String {
    // SAFETY: the buffer lives through the call, which ends it with NUL; strerror_r is thread-safe.
    unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { buffer in
      guard let base = buffer.baseAddress else { return name }
      guard unsafe strerror_r(number, base, 128) == 0 else { return name }
      return unsafe String(cString: base)
    }
  }

  private static let names: [Int32: String] = [
    EACCES: "EACCES", EADDRINUSE: "EADDRINUSE", EADDRNOTAVAIL: "EADDRNOTAVAIL", EAGAIN: "EAGAIN", EBADF: "EBADF",
    EBUSY: "EBUSY", ECONNABORTED: "ECONNABORTED", ECONNREFUSED: "ECONNREFUSED", ECONNRESET: "ECONNRESET",
    EDQUOT: "EDQUOT", EEXIST: "EEXIST", EFAULT: "EFAULT", EFBIG: "EFBIG", EHOSTUNREACH: "EHOSTUNREACH",
    EINPROGRESS: "EINPROGRESS", EINTR: "EINTR", EINVAL: "EINVAL", EIO: "EIO", EISDIR: "EISDIR", ELOOP: "ELOOP",
    EMFILE: "EMFILE", ENAMETOOLONG: "ENAMETOOLONG", ENETUNREACH: "ENETUNREACH", ENFILE: "ENFILE", ENOBUFS: "ENOBUFS",
    ENODEV: "ENODEV", ENOENT: "ENOENT", ENOMEM: "ENOMEM", ENOSPC: "ENOSPC", ENOTCONN: "ENOTCONN", ENOTDIR: "ENOTDIR",
    ENOTEMPTY: "ENOTEMPTY", ENXIO: "ENXIO", EPERM: "EPERM", EPIPE: "EPIPE", EROFS: "EROFS", ESPIPE: "ESPIPE",
    ETIMEDOUT: "ETIMEDOUT", ETXTBSY: "ETXTBSY", EXDEV: "EXDEV",
  ]
}

extension Errno: CustomStringConvertible {
  /// `ENOSPC: No space left on device`.
  public var description: String { "\(name): \(message)" }
}
