import CLinux

/// A whole request line in origin form, as offsets; see `init(in:at:)`.
public struct RequestLine: BitwiseCopyable {
  /// The method's bytes as `ByteScan.word` gives them when it has seven at most, else 0.
  public var method: UInt64
  public var methodEnd: Int
  public var pathEnd: Int
  public var targetEnd: Int
  public var end: Int
  public var minorVersion: UInt8
  public var hasQuery: Bool

  /// Recognises `METHOD SP /path[?query] SP HTTP/1.x CRLF` with a method of letters, digits and `-` and a path in
  /// normal form; nil for all else, incomplete and wrong alike.
  @inline(__always)
  public init?(in bytes: Span<UInt8>, at start: Int) {
    var line = cl_request_line()
    // SAFETY: the C function reads [start, count) of a live span and writes one struct.
    let isWhole = unsafe bytes.withUnsafeBufferPointer { p in
      unsafe cl_request_line(p.baseAddress, start, p.count, &line) != 0
    }
    if !isWhole { return nil }
    method = line.method
    methodEnd = Int(line.method_end)
    pathEnd = Int(line.path_end)
    targetEnd = Int(line.target_end)
    end = Int(line.end)
    minorVersion = line.minor_version
    hasQuery = line.has_query != 0
  }
}

/// A whole status line, as offsets; the reason begins at `reasonStart`.
public struct StatusLine: BitwiseCopyable {
  public static let reasonStart = 13
  public var status: Int
  public var minorVersion: UInt8
  /// Behind the CRLF.
  public var end: Int

  /// Recognises `HTTP/1.x SP status SP [reason] CRLF` with a status of 100 to 599; nil for all else, incomplete and
  /// wrong alike.
  @inline(__always)
  public init?(in bytes: Span<UInt8>) {
    var line = cl_status_line()
    // SAFETY: the C function reads only the live span and writes one struct.
    let isWhole = unsafe bytes.withUnsafeBufferPointer { p in
      unsafe cl_status_line(p.baseAddress, p.count, &line) != 0
    }
    if !isWhole { return nil }
    status = Int(line.status)
    minorVersion = line.minor_version
    end = Int(line.end)
  }
}
