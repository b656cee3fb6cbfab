import COpenSSL
import Kernel

/// A certificate with its chain and its private key: who one side of a connection is.
// SAFETY: the library counts references with atomics, and nothing changes these objects once they are made.
@safe
public final class TLSIdentity: @unchecked Sendable {
  /// What is wrong with a file.
  public enum Mistake: Error, Sendable, Equatable {
    /// There is no certificate, or one that cannot be read.
    case certificate(String)
    /// There is no private key, or one that cannot be read.
    case privateKey(String)
    /// The key is another certificate's.
    case mismatch
  }

  public let certificate: TLSCertificate
  /// `RSA`, `EC`, `ED25519`: a context may hold one certificate of each for a name.
  public let keyType: String
  let leaf: OpaquePointer
  let chain: PEMCertificates
  let key: OpaquePointer

  /// - Parameters:
  ///   - certificate: PEM, the certificate first and those that lead to its authority behind it.
  ///   - privateKey: PEM, without a passphrase.
  public init(certificate: [UInt8], privateKey: [UInt8]) throws(Mistake) {
    let chain = PEMCertificates(certificate)
    guard let leaf = unsafe chain.pointers.first else { throw .certificate(chain.reason ?? "it holds no certificate") }
    if let reason = chain.reason { throw .certificate(reason) }
    // SAFETY: the stream reads memory that lives during the call.
    let key = unsafe privateKey.withUnsafeBytes { bytes -> OpaquePointer? in
      guard let stream = unsafe BIO_new_mem_buf(bytes.baseAddress, CInt(clamping: bytes.count)) else { return nil }
      defer { unsafe _ = BIO_free(stream) }
      return unsafe PEM_read_bio_PrivateKey(stream, nil, refusePassphrase, nil)
    }
    guard let key = unsafe key else { throw .privateKey(TLSFailure.lastReason()) }
    ERR_clear_error()
    guard unsafe X509_check_private_key(leaf, key) == 1 else {
      unsafe EVP_PKEY_free(key)
      ERR_clear_error()
      throw .mismatch
    }
    unsafe self.leaf = leaf
    unsafe self.key = key
    self.chain = chain
    self.certificate = unsafe TLSCertificate(leaf)
    keyType = unsafe EVP_PKEY_get0_type_name(key).map { unsafe String(cString: $0) } ?? "unknown"
  }

  // SAFETY: made in init.
  deinit { unsafe EVP_PKEY_free(key) }

  /// Puts it into a context, beside those of other types of key.
  func install(in context: OpaquePointer) -> Bool {
    // SAFETY: both are alive, and the context takes references of its own.
    guard unsafe SSL_CTX_use_certificate(context, leaf) == 1, unsafe SSL_CTX_use_PrivateKey(context, key) == 1 else {
      return false
    }
    return unsafe chain.pointers.dropFirst().allSatisfy { unsafe co_ctx_add_chain(context, $0) == 1 }
  }
}

/// The certificates of authorities that are trusted.
// SAFETY: the list owns the certificates, and nothing changes them.
public struct TLSAuthority: Sendable {
  let certificates: PEMCertificates

  /// - Parameter pem: one certificate or more.
  public init(_ pem: [UInt8]) throws(TLSIdentity.Mistake) {
    certificates = PEMCertificates(pem)
    if let reason = certificates.reason { throw .certificate(reason) }
    if unsafe certificates.pointers.isEmpty { throw .certificate("it holds no certificate") }
  }

  public var all: [TLSCertificate] { unsafe certificates.pointers.map { unsafe TLSCertificate($0) } }

  /// Trusts them in a context; a server also tells clients their names.
  func install(in context: OpaquePointer, announced: Bool) {
    // SAFETY: certificates and context are alive; both calls take references or copies of their own.
    let store = unsafe SSL_CTX_get_cert_store(context)
    unsafe certificates.pointers.forEach { certificate in
      unsafe _ = X509_STORE_add_cert(store, certificate)
      if announced { unsafe _ = SSL_CTX_add_client_CA(context, certificate) }
    }
  }
}

/// Certificates read from a PEM text.
// SAFETY: as `TLSIdentity`.
@safe
final class PEMCertificates: @unchecked Sendable {
  let pointers: [OpaquePointer]
  /// Why reading stopped before the end.
  let reason: String?

  init(_ pem: [UInt8]) {
    var found: [OpaquePointer] = unsafe []
    // SAFETY: the stream reads memory that lives during the call; what it yields is freed in deinit.
    unsafe pem.withUnsafeBytes { bytes in
      guard let stream = unsafe BIO_new_mem_buf(bytes.baseAddress, CInt(clamping: bytes.count)) else { return }
      defer { unsafe _ = BIO_free(stream) }
      while let next = unsafe PEM_read_bio_X509(stream, nil, refusePassphrase, nil) { unsafe found.append(next) }
    }
    unsafe pointers = found
    let code = ERR_peek_last_error()
    let isEnd = co_error_library(code) == ERR_LIB_PEM && co_error_reason(code) == PEM_R_NO_START_LINE
    let text = TLSFailure.lastReason()
    reason = isEnd || code == 0 ? nil : text
  }

  // SAFETY: made in init.
  deinit { unsafe pointers.forEach { unsafe X509_free($0) } }
}

/// Encrypted files are not read: nobody is there to be asked, and the library would ask the terminal.
@c func refusePassphrase(
  _ buffer: UnsafeMutablePointer<CChar>?, _ size: CInt, _ writing: CInt, _ context: UnsafeMutableRawPointer?
) -> CInt { -1 }
