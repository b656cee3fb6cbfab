/// The content coding that a response's body is to be put into on its way to the client.
///
/// A hook of the response's head chooses it; the engine encodes the body as it passes, and mends the fields that a
/// coding changes: Content-Encoding, Content-Length, ETag, digests. What has one already stays as it is.
public enum OutgoingCoding: Sendable, Equatable {
  case gzip(level: Int)
  case zstd(level: Int)

  /// As Content-Encoding has it.
  public var name: StaticString {
    switch self {
    case .gzip: "gzip"
    case .zstd: "zstd"
    }
  }
}
