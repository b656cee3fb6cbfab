import COpenSSL

/// The digests that `Content-Digest` may have (RFC 9530 §5), without those that are broken.
public enum MessageDigest: String, Sendable, CaseIterable {
  case sha256 = "sha-256"
  case sha512 = "sha-512"

  /// Bytes of a digest.
  public var size: Int { self == .sha256 ? 32 : 64 }

  /// Whether these bytes have this digest.
  public func matches(_ digest: [UInt8], of bytes: Span<UInt8>) -> Bool { compute(bytes) == digest }

  public func compute(_ bytes: Span<UInt8>) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: size)
    var length = 0
    // SAFETY: the span is live, and the array is as long as the digest that the library writes.
    let done = unsafe bytes.withUnsafeBufferPointer { input in
      unsafe digest.withUnsafeMutableBufferPointer { output in
        unsafe EVP_Q_digest(
          nil, self == .sha256 ? "SHA256" : "SHA512", nil, input.baseAddress, input.count, output.baseAddress, &length)
          == 1
      }
    }
    precondition(done && length == size, "a digest of bytes in memory cannot fail")
    return digest
  }
}
