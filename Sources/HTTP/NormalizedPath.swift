public import Kernel

/// Brings a request path into the one form in which it is matched and forwarded (RFC 3986 §6.2.2).
///
/// Unreserved characters are decoded, the other percent-encodings get upper-case digits, dot segments are removed.
/// That happens once and before matching, so that no plugin and no origin sees another path than the route did.
/// Empty segments are a question of their own: `mergeSlashes`.
public enum NormalizedPath {
  /// What becomes of `%2F` and `%5C`, which some servers decode before they split the path.
  public enum EncodedSlashes: Sendable {
    case refuse, keep
  }

  /// Appends the normal form to `out` when it differs from `path`.
  ///
  /// - Parameter path: an absolute path, or the empty one that an absolute-form target may have, which becomes `/`.
  /// - Returns: whether it differs; if not, nothing is written and `path` itself is the normal form.
  public static func normalise(
    _ path: Span<UInt8>, encodedSlashes: EncodedSlashes, into out: inout ByteBuffer
  ) throws(HTTPError) -> Bool {
    if path.isEmpty {
      out.append(UInt8(ascii: "/"))
      return true
    }
    if path[0] != UInt8(ascii: "/") { throw .ambiguousPath }
    let first = ByteScan.endOfPlainPath(in: path, from: 0)
    if first == path.count { return false }
    let start = out.count
    do {
      try rewrite(path, encodedSlashes, into: &out)
    } catch {
      out.truncate(to: start)
      throw error
    }
    if !ByteScan.equal(out.span.extracting(start..<out.count), path) { return true }
    out.truncate(to: start)
    return false
  }

  /// Appends the path without its empty segments (`//`) to `out`, if it has any; a slash at its end stays.
  ///
  /// - Parameter path: in normal form: dot segments are resolved first, as RFC 3986 has it, where `//` is a segment.
  /// - Returns: whether it has any; if not, nothing is written.
  public static func mergeSlashes(_ path: Span<UInt8>, into out: inout ByteBuffer) -> Bool {
    var start = 0
    var slash = ByteScan.indexOfEmptySegment(in: path, from: 0)
    if slash == path.count { return false }
    while slash < path.count {
      out.append(path.extracting(start...slash))
      start = slash + 1
      while start < path.count, path[start] == UInt8(ascii: "/") { start += 1 }
      slash = ByteScan.indexOfEmptySegment(in: path, from: start)
    }
    out.append(path.extracting(start..<path.count))
    return true
  }

  /// Writes segment by segment: each ends at a slash or at the end, and is judged once it is decoded.
  private static func rewrite(
    _ path: Span<UInt8>, _ encodedSlashes: EncodedSlashes, into out: inout ByteBuffer
  ) throws(HTTPError) {
    let root = out.count
    out.append(UInt8(ascii: "/"))
    var segment = out.count
    // Where the part of the segment began that an encoded slash might be read to delimit.
    var part = segment
    var index = 1
    while true {
      let isEnd = index == path.count
      if isEnd || path[index] == UInt8(ascii: "/") {
        if part > segment, isDots(out.span.extracting(part..<out.count)) { throw .ambiguousPath }
        let kept = try closeSegment(segment, root: root, in: &out)
        if isEnd { return }
        if kept { out.append(UInt8(ascii: "/")) }
        segment = out.count
        part = segment
        index += 1
      } else if path[index] == UInt8(ascii: "%") {
        let partEnd = out.count
        if try appendEncoded(path, at: index, encodedSlashes, into: &out) {
          if isDots(out.span.extracting(part..<partEnd)) { throw .ambiguousPath }
          part = out.count
        }
        index += 3
      } else {
        let byte = path[index]
        if byte <= 0x20 || byte >= 0x7f || isAmbiguous(byte) { throw .ambiguousPath }
        out.append(byte)
        index += 1
      }
    }
  }

  /// Removes a segment `.`, and `..` with the one before; above the root there is nothing to remove (RFC 3986
  /// §5.2.4). False when it was removed, and then `out` ends with a slash.
  private static func closeSegment(_ start: Int, root: Int, in out: inout ByteBuffer) throws(HTTPError) -> Bool {
    let dots = leadingDots(out.span.extracting(start..<out.count))
    let length = out.count - start
    if dots == 0 || dots > 2 { return true }
    if length > dots {
      // Some servers cut `;…` off a segment before they resolve dots.
      if out.span[start + dots] == UInt8(ascii: ";") { throw .ambiguousPath }
      return true
    }
    out.truncate(to: start)
    if dots == 2 && start - 1 > root {
      var slash = start - 2
      while out.span[slash] != UInt8(ascii: "/") { slash -= 1 }
      out.truncate(to: slash + 1)
    }
    return false
  }

  private static func isDots(_ part: Span<UInt8>) -> Bool {
    (part.count == 1 || part.count == 2) && leadingDots(part) == part.count
  }

  private static func leadingDots(_ segment: Span<UInt8>) -> Int {
    var dots = 0
    while dots < segment.count, segment[dots] == UInt8(ascii: ".") { dots += 1 }
    return dots
  }

  /// Writes one percent-encoded byte; returns whether it is a slash of either kind.
  private static func appendEncoded(
    _ path: Span<UInt8>, at index: Int, _ encodedSlashes: EncodedSlashes, into out: inout ByteBuffer
  ) throws(HTTPError) -> Bool {
    guard index + 2 < path.count, let high = Authority.hexadecimal(path[index + 1]),
      let low = Authority.hexadecimal(path[index + 2])
    else { throw .invalidPercentEncoding }
    let byte = high << 4 | low
    if byte < 0x20 || byte == 0x7f { throw .encodedControl }
    let isSlash = byte == UInt8(ascii: "/") || byte == UInt8(ascii: "\\")
    if isSlash && encodedSlashes == .refuse { throw .encodedSlash }
    if isUnreserved(byte) {
      out.append(byte)
    } else {
      out.append(UInt8(ascii: "%"))
      out.append(high < 10 ? high + 0x30 : high + 0x37)
      out.append(low < 10 ? low + 0x30 : low + 0x37)
    }
    return isSlash
  }

  private static func isAmbiguous(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "\\") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#")
  }

  private static func isUnreserved(_ byte: UInt8) -> Bool {
    let letter = (byte | 0x20) &- 0x61
    return letter < 26 || byte &- 0x30 <= 9 || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
      || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "~")
  }
}
