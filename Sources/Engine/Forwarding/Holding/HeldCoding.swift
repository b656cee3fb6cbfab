import Foreign
import HTTP
import Kernel
import PluginKit

/// The content coding of a body that hooks want to read.
enum HeldCoding: Equatable {
  case identity
  case known(ContentCoding)
  case unknown

  /// - Parameter value: of `Content-Encoding`; several codings count as unknown, as nobody needs them.
  init(_ value: Span<UInt8>?) {
    guard let value, !value.isEmpty, !Self.means(value, "identity") else {
      self = .identity
      return
    }
    if Self.means(value, "gzip") || Self.means(value, "x-gzip") {
      self = .known(.gzip)
    } else if Self.means(value, "deflate") {
      self = .known(.deflate)
    } else if Self.means(value, "zstd") {
      self = .known(.zstd)
    } else {
      self = .unknown
    }
  }

  init(ofRequest exchange: inout Exchange) { self.init(exchange.request.header(.contentEncoding)) }

  init(ofResponse exchange: inout Exchange) { self.init(exchange.response.header(.contentEncoding)) }

  private static func means(_ value: Span<UInt8>, _ name: StaticString) -> Bool {
    ByteScan.equalIgnoringCase(value, ByteScan.bytes(of: name))
  }
}

/// Fields that were true of a body as it came, and are not of another one.
enum HeldFields {
  /// Digests (RFC 9530, and their predecessors) are of the bytes that came.
  static let digests = FieldNameSet(["Content-Digest", "Repr-Digest", "Digest", "Content-MD5"])
  static let coding = FieldNameSet(["Content-Encoding"])
  /// What a request must not ask for if its answer is to be read whole: other codings, parts.
  static let refinements = FieldNameSet(["Accept-Encoding", "Range", "If-Range"])
  /// Parts of what was edited cannot be had.
  static let ranges = FieldNameSet(["Accept-Ranges"])
}
