import HTTP
import Kernel
import PluginKit

/// What a path had that a route may refuse or keep.
struct PathTraits {
  /// `%2F` or `%5C`.
  var hasEncodedSlash = false
  /// `//`.
  var hasEmptySegment = false

  /// Why a route refuses such a path; nil when it takes it.
  func refusal(by route: RouteSettings) -> HTTPError? {
    if hasEncodedSlash, route.encodedSlashes == .refuse { return .encodedSlash }
    if hasEmptySegment, route.emptySegments == .refuse { return .emptySegment }
    return nil
  }
}

extension Exchange {
  /// Brings the path into the form in which routes are matched. A path that is known to have it need not come here.
  mutating func normalisePath() throws(HTTPError) -> PathTraits {
    var normal = ByteBuffer(capacity: 256)
    let changed = try Self.appendNormal(self, to: &normal)
    var merged = ByteBuffer(capacity: 256)
    let isMerged = NormalizedPath.mergeSlashes(normal.span, into: &merged)
    normalizedPath.removeAll()
    if isMerged { normalizedPath.append(merged.span) } else { normalizedPath.append(normal.span) }
    pathIsNormalized = changed || isMerged
    return PathTraits(hasEncodedSlash: Self.hasEncodedSlash(normal.span), hasEmptySegment: isMerged)
  }

  /// Puts the empty segments back that were merged to match the path, for a route that forwards them.
  mutating func keepEmptySegments() throws(HTTPError) {
    var normal = ByteBuffer(capacity: 256)
    _ = try Self.appendNormal(self, to: &normal)
    parameters = Self.shifted(parameters, in: normal.span)
    normalizedPath.removeAll()
    normalizedPath.append(normal.span)
  }

  /// Writes the path as the client sent it, in normal form; whether that differs.
  private static func appendNormal(
    _ exchange: borrowing Exchange, to out: inout ByteBuffer
  ) throws(HTTPError) -> Bool {
    let path = exchange.request.head.pathRange.bytes(in: exchange.request.source)
    if try NormalizedPath.normalise(path, encodedSlashes: .keep, into: &out) { return true }
    out.append(path)
    return false
  }

  private static func hasEncodedSlash(_ path: Span<UInt8>) -> Bool {
    var index = ByteScan.index(of: UInt8(ascii: "%"), in: path)
    while index + 2 < path.count {
      let high = path[index + 1]
      let low = path[index + 2]
      if high == UInt8(ascii: "2") && low == UInt8(ascii: "F") { return true }
      if high == UInt8(ascii: "5") && low == UInt8(ascii: "C") { return true }
      index = ByteScan.index(of: UInt8(ascii: "%"), in: path, from: index + 1)
    }
    return false
  }

  /// Where parameters of the merged path stand in the path with its empty segments.
  private static func shifted(_ parameters: PathParameters, in path: Span<UInt8>) -> PathParameters {
    var shifted = PathParameters()
    var merged = 0
    let slash = UInt8(ascii: "/")
    for index in path.indices where shifted.count < parameters.count {
      if index > 0, path[index] == slash, path[index - 1] == slash { continue }
      let parameter = parameters[shifted.count]
      if merged == parameter.lowerBound { shifted.append(index..<(index + parameter.count)) }
      merged += 1
    }
    return shifted
  }
}
