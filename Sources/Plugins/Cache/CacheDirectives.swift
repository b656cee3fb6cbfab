import HTTP
import Kernel

/// What `Cache-Control` says (RFC 9111 §5.2, RFC 5861), of a request or of an answer; times in seconds.
struct CacheDirectives: Sendable {
  var noStore = false
  var noCache = false
  var isPrivate = false
  var isPublic = false
  var mustRevalidate = false
  var proxyRevalidate = false
  var onlyIfCached = false
  var maxAge: Int?
  var sharedMaxAge: Int?
  /// Any age when it stands without a number.
  var maxStale: Int?
  var minFresh: Int?
  var staleWhileRevalidate: Int?
  var staleIfError: Int?

  /// The largest time; what is longer is as good as for ever (RFC 9111 §1.2.2).
  static let longest = 1 << 31

  /// Reads one field value, of which there may be several. Of a directive that is said twice the stricter one holds.
  mutating func read(_ value: Span<UInt8>) {
    var start = 0
    while let range = FieldElements.next(of: value, from: &start) { readDirective(value.extracting(range)) }
  }

  private mutating func readDirective(_ directive: Span<UInt8>) {
    let equals = min(ByteScan.index(of: UInt8(ascii: "="), in: directive, from: 0), directive.count)
    let name = directive.extracting(FieldElements.trimmed(directive, 0..<equals))
    let argument: Int? = equals < directive.count ? Self.seconds(directive, from: equals + 1) : nil
    if Self.means(name, "no-store") {
      noStore = true
    } else if Self.means(name, "no-cache") {
      // With field names it is about these alone; all of it is the stricter reading.
      noCache = true
    } else if Self.means(name, "private") {
      isPrivate = true
    } else if Self.means(name, "public") {
      isPublic = true
    } else if Self.means(name, "must-revalidate") {
      mustRevalidate = true
    } else if Self.means(name, "proxy-revalidate") {
      proxyRevalidate = true
    } else if Self.means(name, "only-if-cached") {
      onlyIfCached = true
    } else if Self.means(name, "max-age") {
      maxAge = min(maxAge ?? .max, argument ?? 0)
    } else if Self.means(name, "s-maxage") {
      sharedMaxAge = min(sharedMaxAge ?? .max, argument ?? 0)
    } else if Self.means(name, "max-stale") {
      maxStale = min(maxStale ?? .max, argument ?? Self.longest)
    } else if Self.means(name, "min-fresh") {
      minFresh = max(minFresh ?? 0, argument ?? 0)
    } else if Self.means(name, "stale-while-revalidate") {
      staleWhileRevalidate = min(staleWhileRevalidate ?? .max, argument ?? 0)
    } else if Self.means(name, "stale-if-error") {
      staleIfError = min(staleIfError ?? .max, argument ?? 0)
    }
  }

  private static func means(_ value: Span<UInt8>, _ name: StaticString) -> Bool {
    ByteScan.equalIgnoringCase(value, ByteScan.bytes(of: name))
  }

  /// A number of seconds, quoted or not; 0, which is stale, for what is none.
  static func seconds(_ text: Span<UInt8>, from start: Int) -> Int {
    var range = FieldElements.trimmed(text, start..<text.count)
    if range.count >= 2, text[range.lowerBound] == UInt8(ascii: "\""), text[range.upperBound - 1] == UInt8(ascii: "\"")
    {
      range = range.lowerBound + 1..<range.upperBound - 1
    }
    var number = 0
    for index in range {
      let digit = text[index] &- 0x30
      if digit > 9 { return 0 }
      number = min(number * 10 + Int(digit), longest)
    }
    return number
  }
}
