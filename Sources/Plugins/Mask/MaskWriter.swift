import Configuration
import Detection
import Foreign
import Kernel

/// Writes what takes the place of a value.
final class MaskWriter {
  private let method: MaskMethod
  private let codes: HMAC?

  init(_ method: MaskMethod) {
    self.method = method
    if case .pseudonym(let key) = method { codes = HMAC(key: Array(key.reveal().utf8)) } else { codes = nil }
  }

  var removes: Bool { if case .remove = method { true } else { false } }

  /// Appends the mask of a text.
  ///
  /// - Parameter kind: what it was recognised as; what a path names alone is a `value`.
  func append(maskOf text: Span<UInt8>, kind: String, to out: inout ByteBuffer) {
    switch method {
    case .remove: break
    case .partial: Self.append(partOf: text, to: &out)
    case .pseudonym:
      if let codes, append(pseudonymOf: text, kind: kind, codes, to: &out) { return }
      fallthrough
    case .redact:
      out.append("[")
      out.append(kind == "value" ? "redacted" : kind)
      out.append("]")
    }
  }

  /// `email_` and 32 hexadecimal digits: half of the code, which is enough that no two values share one.
  private func append(
    pseudonymOf text: Span<UInt8>, kind: String, _ codes: HMAC, to out: inout ByteBuffer
  ) -> Bool {
    var normal = ByteBuffer(capacity: text.count)
    Self.append(normalFormOf: text, kind: kind, to: &normal)
    var code = ByteBuffer(capacity: HMAC.size)
    guard codes.append(codeOf: normal.span, to: &code) else { return false }
    out.append(kind)
    out.append("_")
    for index in 0..<HMAC.size / 2 { out.append(hexadecimal: UInt64(code.span[index]), digits: 2) }
    return true
  }

  /// Ways of writing the same thing have one pseudonym: case and separators do not tell values apart.
  private static func append(normalFormOf text: Span<UInt8>, kind: String, to out: inout ByteBuffer) {
    let isNumber = kind == "card" || kind == "iban" || kind == "phone"
    for index in text.indices {
      let byte = text[index]
      let isLetter = (byte | 0x20) &- 0x61 < 26
      if isNumber, !isLetter, byte &- 0x30 >= 10 { continue }
      out.append(isLetter && kind != "value" ? byte | 0x20 : byte)
    }
  }

  /// The first character and the domain of an address; of anything else the last four letters or digits, if it has eight.
  private static func append(partOf text: Span<UInt8>, to out: inout ByteBuffer) {
    let at = ByteScan.index(of: UInt8(ascii: "@"), in: text)
    if at < text.count, at > 0, text[0] < 0x80 {
      out.append(text[0])
      out.append("***")
      return out.append(text.extracting(at..<text.count))
    }
    var left = 0
    for index in text.indices where isShown(text[index]) { left += 1 }
    let hidden = left >= 8 ? left - 4 : left
    var seen = 0
    for index in text.indices {
      let byte = text[index]
      if byte & 0xC0 == 0x80 { continue }
      if isShown(byte) { seen += 1 }
      if byte >= 0x80 || (isShown(byte) && seen <= hidden) { out.append("*") } else { out.append(byte) }
    }
  }

  private static func isShown(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26 }
}
