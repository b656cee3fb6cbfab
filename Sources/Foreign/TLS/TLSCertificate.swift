import COpenSSL
import Glibc
import Kernel

/// What a certificate says of whom it was issued to, and for how long.
public struct TLSCertificate: Sendable, Equatable {
  /// As RFC 2253 writes it: `CN=batch,O=Example`.
  public let subject: String
  /// The alternative names, each with its kind: `dns:`, `email:`, `uri:` or `ip:`.
  public let names: [String]
  /// The SHA-256 of the whole certificate, in hexadecimal.
  public let fingerprint: String
  /// Seconds since 1970.
  public let validFrom: Int
  public let validUntil: Int

  /// The hosts it is for, in lower case; those of the alternative names, else the subject's common name.
  public let hosts: [String]

  init(_ certificate: OpaquePointer) {
    // SAFETY: the caller holds the certificate for the call, and with it its names and times.
    names = unsafe Self.alternativeNames(certificate)
    subject = unsafe Self.text(of: certificate)
    fingerprint = unsafe Self.digest(certificate)
    validFrom = unsafe Self.seconds(X509_get0_notBefore(certificate))
    validUntil = unsafe Self.seconds(X509_get0_notAfter(certificate))
    let listed = names.filter { $0.hasPrefix("dns:") }.map { $0.dropFirst(4).lowercased() }
    hosts = unsafe listed.isEmpty ? Self.commonName(certificate).map { [$0.lowercased()] } ?? [] : listed
  }

  private static func text(of certificate: OpaquePointer) -> String {
    // SAFETY: the memory stream is freed here, and its text copied before; the name belongs to the certificate.
    guard let stream = unsafe BIO_new(BIO_s_mem()) else { return "" }
    defer { unsafe _ = BIO_free(stream) }
    // Other alphabets stay readable, control characters are escaped (RFC 2253 §2.4).
    unsafe _ = X509_NAME_print_ex(stream, X509_get_subject_name(certificate), 0, co_subject_style())
    var start: UnsafeMutablePointer<CChar>?
    let count = unsafe co_bio_text(stream, &start)
    guard let start = unsafe start, count > 0 else { return "" }
    let bytes = unsafe UnsafeRawBufferPointer(start: start, count: count)
    return unsafe String(decoding: bytes, as: UTF8.self)
  }

  private static func commonName(_ certificate: OpaquePointer) -> String? {
    var buffer = [CChar](repeating: 0, count: 256)
    // SAFETY: the library writes at most 256 bytes and ends them with NUL.
    let count = unsafe buffer.withUnsafeMutableBufferPointer {
      unsafe X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, $0.baseAddress, 256)
    }
    return count > 0 ? String(decoding: buffer.prefix(Int(count)).map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
  }

  private static func alternativeNames(_ certificate: OpaquePointer) -> [String] {
    // SAFETY: the list is ours to free; the octets of a name are copied while it lives.
    guard let list = unsafe X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil) else { return [] }
    defer { unsafe co_names_free(list) }
    var names: [String] = []
    for index in 0..<(unsafe co_name_count(list)) {
      var octets: UnsafePointer<UInt8>?
      var length: CInt = 0
      let kind = unsafe co_name(list, index, &octets, &length)
      guard kind >= 0, let start = unsafe octets else { continue }
      let bytes = unsafe [UInt8](UnsafeBufferPointer(start: start, count: Int(length)))
      if let name = name(kind, bytes) { names.append(name) }
    }
    return names
  }

  /// One alternative name; nil for one with control characters, which no comparison should ever see.
  private static func name(_ kind: CInt, _ bytes: [UInt8]) -> String? {
    if kind == GEN_IPADD { return address(bytes).map { "ip:\($0)" } }
    guard bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return nil }
    let text = String(decoding: bytes, as: UTF8.self)
    return switch kind {
    case GEN_DNS: "dns:\(text)"
    case GEN_EMAIL: "email:\(text)"
    default: "uri:\(text)"
    }
  }

  private static func address(_ bytes: [UInt8]) -> IPAddress? {
    let words = bytes.map(UInt64.init)
    if bytes.count == 4 { return IPAddress(v4: UInt32(words.reduce(0) { $0 << 8 | $1 })) }
    guard bytes.count == 16 else { return nil }
    return IPAddress(
      high: words[..<8].reduce(0) { $0 << 8 | $1 }, low: words[8...].reduce(0) { $0 << 8 | $1 })
  }

  private static func digest(_ certificate: OpaquePointer) -> String {
    var digest = [UInt8](repeating: 0, count: 32)
    // SAFETY: SHA-256 writes 32 bytes.
    let done = unsafe digest.withUnsafeMutableBufferPointer {
      unsafe X509_digest(certificate, EVP_sha256(), $0.baseAddress, nil)
    }
    guard done == 1 else { return "" }
    let digits = Array("0123456789abcdef".utf8)
    let text = digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    return String(decoding: text, as: UTF8.self)
  }

  private static func seconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int {
    var parts = unsafe tm()
    // SAFETY: fills the struct; a time that cannot be read stays 1970 and counts as expired.
    guard unsafe ASN1_TIME_to_tm(time, &parts) == 1 else { return 0 }
    return unsafe timegm(&parts)
  }
}
