import JSON
import Kernel
import PluginKit

/// The members of a token's header or payload, which is one JSON object without names that stand twice.
struct TokenClaims {
  enum Value {
    case string(String)
    case number(Double)
    case list([String])
    case other
  }

  private(set) var raw: [String: Value] = [:]
  private(set) var claims = Claims()

  /// Objects within objects are read so deep, as `OUTER.INNER`.
  private static let deepest = 4
  private static let mostClaims = 256

  static func read(_ bytes: [UInt8]) throws(TokenMistake) -> TokenClaims {
    var read = TokenClaims()
    var document = JSONDocument()
    do throws(JSONError) { try document.parse(bytes.span) } catch { throw .malformed }
    guard document.kind(0) == .object else { throw .malformed }
    try read.add(0, prefix: "", depth: 1, document, bytes.span)
    return read
  }

  func string(_ name: String) -> String? {
    if case .string(let text)? = raw[name] { text } else { nil }
  }

  /// A text or a list of texts, as `aud` has (RFC 7519 §4.1.3).
  func texts(_ name: String) -> [String] {
    switch raw[name] {
    case .string(let text): [text]
    case .list(let texts): texts
    default: []
    }
  }

  /// Seconds since 1970; fractions are allowed (RFC 7519 §2).
  func time(_ name: String) throws(TokenMistake) -> Double? {
    switch raw[name] {
    case nil: return nil
    case .number(let number) where number.isFinite && abs(number) < 1e15: return number
    default: throw .malformed
    }
  }

  private mutating func add(
    _ object: Int, prefix: String, depth: Int, _ document: borrowing JSONDocument, _ bytes: Span<UInt8>
  ) throws(TokenMistake) {
    // The outermost names are those of `raw`.
    var inner: Set<String> = []
    var node = object + 1
    while node < document.next(object) {
      let name = TokenText.string(node, document, bytes)
      // Readers disagree on which of two counts, so neither does.
      let isNew = depth == 1 ? raw[name] == nil : inner.insert(name).inserted
      guard isNew, claims.all.count < Self.mostClaims else { throw .malformed }
      let value = node + 1
      if document.kind(value) == .object, depth < Self.deepest {
        if depth == 1 { raw[name] = .other }
        try add(value, prefix: prefix + name + ".", depth: depth + 1, document, bytes)
      } else {
        let read = Self.value(value, document, bytes)
        if depth == 1 { raw[name] = read.value }
        claims.all.append(Claims.Claim(name: prefix + name, text: read.text, items: read.items))
      }
      node = document.next(value)
    }
  }

  private static func value(
    _ node: Int, _ document: borrowing JSONDocument, _ bytes: Span<UInt8>
  ) -> (value: Value, text: String, items: [String]) {
    switch document.kind(node) {
    case .string:
      let text = TokenText.string(node, document, bytes)
      return (.string(text), text, [text])
    case .number:
      let text = TokenText.raw(node, document, bytes)
      return (Double(text).map { .number($0) } ?? .other, text, [text])
    case .array:
      var items: [String] = []
      var element = node + 1
      while element < document.next(node) {
        items.append(
          document.kind(element) == .string
            ? TokenText.string(element, document, bytes) : TokenText.raw(element, document, bytes))
        element = document.next(element)
      }
      return (.list(items), items.joined(separator: ","), items)
    case .object, .yes, .no, .null:
      let text = TokenText.raw(node, document, bytes)
      return (.other, text, [text])
    }
  }
}
