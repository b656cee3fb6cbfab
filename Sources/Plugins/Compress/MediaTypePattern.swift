import HTTP
import Kernel

/// Media types that a configuration means: one, all of a kind (`text/*`), or those with a suffix
/// (`application/*+json`, RFC 6839).
struct MediaTypePattern: Sendable {
  /// As it was written.
  let text: String
  private let begin: String
  /// The end that it must have behind `begin`; nil: it is `begin` and nothing more.
  private let suffix: String?

  /// - Returns: nil for what is no pattern.
  init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, Self.isToken(parts[0]), !parts[0].contains("*") else { return nil }
    let subtype = parts[1]
    if subtype == "*" {
      (begin, suffix) = (parts[0] + "/", "")
    } else if subtype.hasPrefix("*+") {
      guard Self.isToken(subtype.dropFirst(2)), !subtype.dropFirst(2).contains("*") else { return nil }
      (begin, suffix) = (parts[0] + "/", String(subtype.dropFirst()))
    } else {
      guard Self.isToken(subtype), !subtype.contains("*") else { return nil }
      (begin, suffix) = (text, nil)
    }
    self.text = text
  }

  /// What is text, by the names in use.
  static let compressible = [
    "text/*", "application/json", "application/*+json", "application/xml", "application/*+xml",
    "application/javascript", "application/x-ndjson", "application/jsonl", "application/wasm", "image/svg+xml",
  ].compactMap { MediaTypePattern($0) }

  /// - Parameter type: of Content-Type, with its parameters.
  func matches(_ type: Span<UInt8>) -> Bool {
    let semicolon = ByteScan.index(of: UInt8(ascii: ";"), in: type, from: 0)
    let name = type.extracting(FieldElements.trimmed(type, 0..<min(semicolon, type.count)))
    let begin = begin.utf8Span.span
    guard name.count >= begin.count, ByteScan.equalIgnoringCase(name.extracting(0..<begin.count), begin) else {
      return false
    }
    guard let suffix else { return name.count == begin.count }
    let end = suffix.utf8Span.span
    return name.count > begin.count + end.count
      && ByteScan.equalIgnoringCase(name.extracting(name.count - end.count..<name.count), end)
  }

  private static func isToken(_ text: Substring) -> Bool {
    let token = String(text)
    return !token.isEmpty && ByteScan.endOfToken(in: token.utf8Span.span, from: 0) == token.utf8.count
  }
}
