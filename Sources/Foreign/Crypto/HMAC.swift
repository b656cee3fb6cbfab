import COpenSSL
public import Kernel

/// HMAC-SHA256 (RFC 2104) through OpenSSL, with a key that is set up once.
///
/// SAFETY: the contexts are made in `init`, freed in `deinit`, and used by one thread at a time: this is not Sendable.
@safe
public final class HMAC {
  /// Bytes of a code.
  public static let size = 32

  private let keyed: OpaquePointer
  private let mac: OpaquePointer

  /// - Returns: nil when OpenSSL has no memory.
  public init?(key: [UInt8]) {
    // SAFETY: fetched, used and freed here; the context keeps a reference of its own.
    guard let mac = unsafe EVP_MAC_fetch(nil, "HMAC", nil) else { return nil }
    guard let made = unsafe EVP_MAC_CTX_new(mac) else {
      unsafe EVP_MAC_free(mac)
      return nil
    }
    unsafe self.mac = mac
    unsafe keyed = made
    // SAFETY: OpenSSL reads the parameters, and the two texts that they point to, during the call only; an empty key is a
    // key of no bytes.
    let isSet = unsafe "digest".withCString { name in
      unsafe "SHA256".withCString { digest in
        let value = unsafe UnsafeMutablePointer(mutating: digest)
        let parameters = unsafe [OSSL_PARAM_construct_utf8_string(name, value, 0), OSSL_PARAM_construct_end()]
        let count = key.count
        let key = key.isEmpty ? [0] : key
        return unsafe key.withUnsafeBufferPointer { key in
          unsafe parameters.withUnsafeBufferPointer {
            unsafe EVP_MAC_init(made, key.baseAddress, count, $0.baseAddress)
          }
        }
      }
    }
    if isSet != 1 { return nil }
  }

  deinit {
    // SAFETY: as the type says.
    unsafe EVP_MAC_CTX_free(keyed)
    unsafe EVP_MAC_free(mac)
  }

  /// Appends the code of a text; false, with nothing appended, when OpenSSL fails.
  public func append(codeOf text: Span<UInt8>, to out: inout ByteBuffer) -> Bool {
    // SAFETY: a copy of the context that has the key, freed below; the text is live and the block is long enough.
    guard let context = unsafe EVP_MAC_CTX_dup(keyed) else { return false }
    defer { unsafe EVP_MAC_CTX_free(context) }
    var code = [UInt8](repeating: 0, count: Self.size)
    var length = 0
    let isDone = unsafe text.withUnsafeBufferPointer { text in
      unsafe code.withUnsafeMutableBufferPointer { code in
        unsafe EVP_MAC_update(context, text.baseAddress, text.count) == 1
          && EVP_MAC_final(context, code.baseAddress, &length, code.count) == 1
      }
    }
    guard isDone, length == Self.size else { return false }
    out.append(code.span)
    return true
  }

  /// The code of a text, to be compared in constant time; nil when OpenSSL fails.
  public func code(of text: Span<UInt8>) -> SHA256Digest? {
    var code = ByteBuffer(capacity: Self.size)
    return append(codeOf: text, to: &code) ? SHA256Digest(bytes: code.span) : nil
  }
}
