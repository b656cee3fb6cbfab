public import Kernel

/// Reads the parameters of a query: `name=value` pairs between `&`.
public enum QueryParameters {
  /// How many parameters have this name; both are compared after decoding.
  public static func count(_ name: Span<UInt8>, in query: Span<UInt8>) -> Int {
    var count = 0
    forEach(query) { candidate, _ in
      if matches(candidate, name) { count += 1 }
    }
    return count
  }

  /// Whether exactly one parameter has this name, and it has this value.
  public static func isOnly(_ name: Span<UInt8>, value: Span<UInt8>, in query: Span<UInt8>) -> Bool {
    var named = 0
    var equal = 0
    forEach(query) { candidate, found in
      guard matches(candidate, name) else { return }
      named += 1
      if matches(found, value) { equal += 1 }
    }
    return named == 1 && equal == 1
  }

  /// Writes the names without their values.
  ///
  /// - Parameter withMark: whether a value is shown as `…`, so that one can see that there was one.
  public static func appendNames(of query: Span<UInt8>, withMark: Bool, to out: inout ByteBuffer) {
    var start = 0
    while start <= query.count {
      let end = min(query.count, ByteScan.index(of: UInt8(ascii: "&"), in: query, from: start))
      let pair = query.extracting(start..<end)
      let equals = ByteScan.index(of: UInt8(ascii: "="), in: pair)
      if start > 0 { out.append("&") }
      out.append(pair.extracting(0..<equals))
      if withMark, equals < pair.count { out.append("=…") }
      start = end + 1
    }
  }

  /// Appends the query as it was sent, but with `…` in place of the values of this name.
  public static func append(_ query: Span<UInt8>, hiding name: Span<UInt8>, to out: inout ByteBuffer) {
    var start = 0
    while start <= query.count {
      let end = min(query.count, ByteScan.index(of: UInt8(ascii: "&"), in: query, from: start))
      let equals = min(end, ByteScan.index(of: UInt8(ascii: "="), in: query, from: start))
      if start > 0 { out.append("&") }
      if equals < end, matches(query.extracting(start..<equals), name) {
        out.append(query.extracting(start..<equals))
        out.append("=…")
      } else {
        out.append(query.extracting(start..<end))
      }
      start = end + 1
    }
  }

  /// Appends the query as it was sent, but for the parameters of this name.
  public static func append(_ query: Span<UInt8>, without name: Span<UInt8>, to out: inout ByteBuffer) {
    var start = 0
    while start < query.count {
      let end = ByteScan.index(of: UInt8(ascii: "&"), in: query, from: start)
      let equals = min(end, ByteScan.index(of: UInt8(ascii: "="), in: query, from: start))
      if end == start || !matches(query.extracting(start..<equals), name) {
        if !out.isEmpty { out.append("&") }
        out.append(query.extracting(start..<end))
      }
      start = end + 1
    }
  }

  /// Where the value of the first parameter of this name stands in the query, as it was sent; nil when there is none.
  public static func first(_ name: Span<UInt8>, in query: Span<UInt8>) -> Range<Int>? {
    var start = 0
    while start < query.count {
      let end = ByteScan.index(of: UInt8(ascii: "&"), in: query, from: start)
      let equals = min(end, ByteScan.index(of: UInt8(ascii: "="), in: query, from: start))
      if end > start, matches(query.extracting(start..<equals), name) { return min(equals + 1, end)..<end }
      start = end + 1
    }
    return nil
  }

  public static func forEach(_ query: Span<UInt8>, _ body: (Span<UInt8>, Span<UInt8>) -> Void) {
    var start = 0
    while start < query.count {
      let end = ByteScan.index(of: UInt8(ascii: "&"), in: query, from: start)
      let pair = query.extracting(start..<end)
      let equals = ByteScan.index(of: UInt8(ascii: "="), in: pair)
      if end > start { body(pair.extracting(0..<equals), pair.extracting(min(equals + 1, pair.count)..<pair.count)) }
      start = end + 1
    }
  }

  /// Compares percent-encoded text, `+` for a space, with plain text.
  private static func matches(_ encoded: Span<UInt8>, _ plain: Span<UInt8>) -> Bool {
    var from = 0
    var to = 0
    while from < encoded.count {
      guard to < plain.count else { return false }
      var byte = encoded[from]
      if byte == UInt8(ascii: "%"), from + 2 < encoded.count, let high = digit(encoded[from + 1]),
        let low = digit(encoded[from + 2])
      {
        byte = high << 4 | low
        from += 2
      } else if byte == UInt8(ascii: "+") {
        byte = 0x20
      }
      if byte != plain[to] { return false }
      from += 1
      to += 1
    }
    return to == plain.count
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x37
    case 0x61...0x66: byte - 0x57
    default: nil
    }
  }
}
