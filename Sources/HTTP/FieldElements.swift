import Kernel

/// The elements of a field value that is a list (RFC 9110 §5.6.1), where a quoted string may hold commas.
public enum FieldElements {
  /// The next element without the white space around it; nil at the end. Empty elements are passed over.
  ///
  /// - Parameter separator: what divides elements; `;` for the parameters within one.
  public static func next(
    of value: Span<UInt8>, from start: inout Int, separator: UInt8 = UInt8(ascii: ",")
  ) -> Range<Int>? {
    while start < value.count {
      var end = start
      var isQuoted = false
      while end < value.count, isQuoted || value[end] != separator {
        if value[end] == UInt8(ascii: "\"") { isQuoted.toggle() }
        // A quoted pair: the next byte is itself.
        if isQuoted, value[end] == UInt8(ascii: "\\"), end + 1 < value.count { end += 1 }
        end += 1
      }
      let range = trimmed(value, start..<end)
      start = end + 1
      if !range.isEmpty { return range }
    }
    return nil
  }

  /// Whether one of the elements is this word, in any case.
  public static func contain(_ word: Span<UInt8>, in value: Span<UInt8>) -> Bool {
    var start = 0
    while let range = next(of: value, from: &start) {
      if ByteScan.equalIgnoringCase(value.extracting(range), word) { return true }
    }
    return false
  }

  public static func trimmed(_ value: Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
    var (first, end) = (range.lowerBound, range.upperBound)
    while first < end, isSpace(value[first]) { first += 1 }
    while end > first, isSpace(value[end - 1]) { end -= 1 }
    return first..<end
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
}
