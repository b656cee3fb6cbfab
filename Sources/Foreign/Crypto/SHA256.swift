import COpenSSL
import Kernel

/// A SHA-256 (FIPS 180-4) of something; two are compared in constant time.
public struct SHA256Digest: Sendable, Hashable {
  /// The 32 bytes, as four words in the order of the bytes.
  private var words: (UInt64, UInt64, UInt64, UInt64)

  fileprivate init(_ words: (UInt64, UInt64, UInt64, UInt64)) { self.words = words }

  /// - Parameter hexadecimal: 64 digits, in any case; nil for anything else.
  public init?(hexadecimal text: some StringProtocol) {
    let digits = Array(text.utf8)
    guard digits.count == 64 else { return nil }
    var all: [UInt64] = []
    for start in stride(from: 0, to: 64, by: 16) {
      var word: UInt64 = 0
      for digit in digits[start..<start + 16] {
        guard let value = Self.value(of: digit) else { return nil }
        word = word << 4 | value
      }
      all.append(word)
    }
    words = (all[0], all[1], all[2], all[3])
  }

  /// - Parameter bytes: 32 of them; nil for any other number.
  public init?(bytes: Span<UInt8>) {
    guard bytes.count == 32 else { return nil }
    words = (
      Self.word(bytes, 0), Self.word(bytes, 8), Self.word(bytes, 16), Self.word(bytes, 24)
    )
  }

  /// In lower-case hexadecimal.
  public var hexadecimal: String {
    var text = ByteBuffer(capacity: 64)
    for word in [words.0, words.1, words.2, words.3] { text.append(sixteenDigits: word) }
    return String(decoding: text.span.indices.map { text.span[$0] }, as: UTF8.self)
  }

  /// Takes the same time wherever they differ.
  public static func == (a: SHA256Digest, b: SHA256Digest) -> Bool {
    (a.words.0 ^ b.words.0) | (a.words.1 ^ b.words.1) | (a.words.2 ^ b.words.2) | (a.words.3 ^ b.words.3) == 0
  }

  private static func word(_ bytes: Span<UInt8>, _ start: Int) -> UInt64 {
    var word: UInt64 = 0
    for index in start..<start + 8 { word = word << 8 | UInt64(bytes[index]) }
    return word
  }

  /// The bytes are as good as random already, so one word of them is a hash.
  public func hash(into hasher: inout Hasher) { hasher.combine(words.0) }

  private static func value(of digit: UInt8) -> UInt64? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(digit) - 0x30
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(digit) - 0x57
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(digit) - 0x37
    default: nil
    }
  }
}

/// Computes SHA-256 again and again in memory of its own, so that a digest allocates nothing.
// SAFETY: the context is this object's own from init to deinit; it is of one thread, as it is not Sendable.
@safe
public final class SHA256 {
  private let context: OpaquePointer
  private let algorithm: OpaquePointer

  public init() {
    // SAFETY: both are freed in deinit; that there is memory and SHA-256 in the library is a condition to start at all.
    guard let context = unsafe EVP_MD_CTX_new(), let algorithm = unsafe EVP_MD_fetch(nil, "SHA256", nil) else {
      preconditionFailure("the cryptographic library has no SHA-256")
    }
    unsafe self.context = context
    unsafe self.algorithm = algorithm
  }

  // SAFETY: made in init.
  deinit {
    unsafe EVP_MD_CTX_free(context)
    unsafe EVP_MD_free(algorithm)
  }

  public func digest(of bytes: Span<UInt8>) -> SHA256Digest {
    var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    // SAFETY: the span is live, and the library writes 32 bytes, which is what four words are.
    let done = unsafe bytes.withUnsafeBufferPointer { input in
      unsafe withUnsafeMutableBytes(of: &words) { output in
        unsafe EVP_DigestInit_ex2(context, algorithm, nil) == 1
          && EVP_DigestUpdate(context, input.baseAddress, input.count) == 1
          && EVP_DigestFinal_ex(context, output.bindMemory(to: UInt8.self).baseAddress, nil) == 1
      }
    }
    precondition(done, "a digest of bytes in memory cannot fail")
    return SHA256Digest((words.0.bigEndian, words.1.bigEndian, words.2.bigEndian, words.3.bigEndian))
  }

  /// The digest of one thing, for whoever computes few.
  public static func digest(of bytes: Span<UInt8>) -> SHA256Digest { SHA256().digest(of: bytes) }
}

/// Random bytes for keys and other secrets, from the kernel by way of the library's generator.
public enum SecretRandom {
  /// Nil when no randomness is to be had.
  public static func bytes(_ count: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    // SAFETY: the array's own memory, as long as it says.
    let done = unsafe bytes.withUnsafeMutableBufferPointer {
      unsafe RAND_priv_bytes($0.baseAddress, CInt($0.count)) == 1
    }
    return done ? bytes : nil
  }
}
