import Kernel

extension RequestHead {
  /// Takes over a common request line, recognised as a whole; false when its target is too long.
  mutating func take(_ line: RequestLine, limit: Int) -> Bool {
    let targetStart = line.methodEnd &+ 1
    method = Method(word: line.method)
    if line.targetEnd &- targetStart > limit || method == .connect { return false }
    minorVersion = line.minorVersion
    methodRange = ByteRange(0..<line.methodEnd)
    targetRange = ByteRange(targetStart..<line.targetEnd)
    pathRange = ByteRange(targetStart..<line.pathEnd)
    hasQuery = line.hasQuery
    if hasQuery { queryRange = ByteRange(line.pathEnd &+ 1..<line.targetEnd) }
    return true
  }

  /// Decodes the target that begins at `start`, and returns where it ends; nil when more bytes are needed.
  ///
  /// Refused are bytes outside visible ASCII, the fragment, and what browsers always encode (`"<>`, in paths also
  /// `` \^`{} ``). Square brackets and `|` pass, because browsers send them raw.
  mutating func decodeTarget(_ bytes: Span<UInt8>, from start: Int, limit: Int) throws(HTTPError) -> Int? {
    var pathStart = start
    if start >= bytes.count { return nil }
    if bytes[start] != UInt8(ascii: "/") {
      guard let found = try decodeOtherForm(bytes, from: start, limit: limit) else { return nil }
      pathStart = found
    }
    var end = pathStart
    if form == .origin || form == .absolute {
      end = try decodePath(bytes, from: pathStart, limit: start &+ limit)
      pathRange = ByteRange(pathStart..<end)
      let path = pathRange.bytes(in: bytes)
      if ByteScan.indexOfEmptySegment(in: path, from: 0) < path.count { pathIsNormal = false }
      if end < bytes.count, bytes[end] == UInt8(ascii: "?") {
        let queryStart = end &+ 1
        end = ByteScan.endOfQuery(in: bytes, from: queryStart)
        hasQuery = true
        queryRange = ByteRange(queryStart..<end)
      }
    }
    if end &- start > limit { throw .targetTooLong }
    if end >= bytes.count { return nil }
    if bytes[end] != 0x20 { throw Self.mistake(bytes[end]) }
    targetRange = ByteRange(start..<end)
    return end
  }

  /// RFC 9112 §3.2: CONNECT has the authority form, and `*` is for OPTIONS alone.
  var methodAllowsForm: Bool {
    switch form {
    case .origin, .absolute: method != .connect
    case .asterisk: method == .options
    case .authority: method == .connect
    }
  }

  private static func mistake(_ byte: UInt8) -> HTTPError {
    switch byte {
    case HeaderBlock.cr: .invalidRequestLine
    case HeaderBlock.lf: .bareLineFeed
    case 0: .nulByte
    default: .invalidTarget
    }
  }

  /// Where the path ends. Bytes that need normalising are noted on the way.
  private mutating func decodePath(_ bytes: Span<UInt8>, from start: Int, limit: Int) throws(HTTPError) -> Int {
    var end = start
    while true {
      end = ByteScan.endOfPlainPath(in: bytes, from: end)
      if end >= bytes.count || end > limit { return end }
      switch bytes[end] {
      case UInt8(ascii: "%"): pathIsNormal = false
      case UInt8(ascii: "."):
        if bytes[end &- 1] == UInt8(ascii: "/") { pathIsNormal = false }
      default: return end
      }
      end &+= 1
    }
  }

  /// Decodes a target that does not begin with `/`, up to its path if it has one.
  private mutating func decodeOtherForm(
    _ bytes: Span<UInt8>, from start: Int, limit: Int
  ) throws(HTTPError) -> Int? {
    if bytes[start] == UInt8(ascii: "*") {
      form = .asterisk
      return start + 1
    }
    if bytes[start] == 0x20 { throw .invalidRequestLine }
    if method == .connect {
      form = .authority
      return try decodeAuthority(bytes, from: start, limit: start + limit, requiringPort: true)
    }
    form = .absolute
    var schemeEnd = start
    for scheme in [StaticString("http://"), "https://"] {
      let text = ByteScan.bytes(of: scheme)
      var index = 0
      while index < text.count, start + index < bytes.count, Self.lower(bytes[start + index]) == text[index] {
        index += 1
      }
      if index == text.count {
        schemeEnd = start + index
        break
      }
      if start + index == bytes.count { return nil }
    }
    if schemeEnd == start { throw Self.mistake(bytes[start]) }
    return try decodeAuthority(bytes, from: schemeEnd, limit: start + limit, requiringPort: false)
  }

  private mutating func decodeAuthority(
    _ bytes: Span<UInt8>, from start: Int, limit: Int, requiringPort: Bool
  ) throws(HTTPError) -> Int? {
    var end = start
    while end < bytes.count, end <= limit, Self.isInAuthority(bytes[end]) { end += 1 }
    if end > limit { throw .targetTooLong }
    if end == bytes.count { return nil }
    hostRange = ByteRange(start..<end)
    if !Authority.isValid(hostRange, in: bytes, requiringPort: requiringPort) {
      throw bytes[end] == 0x20 || bytes[end] == UInt8(ascii: "/") ? .invalidHost : Self.mistake(bytes[end])
    }
    return end
  }

  private static func isInAuthority(_ byte: UInt8) -> Bool {
    byte > 0x20 && byte < 0x7f && byte != UInt8(ascii: "/") && byte != UInt8(ascii: "?") && byte != UInt8(ascii: "#")
  }

  private static func lower(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte }
}
