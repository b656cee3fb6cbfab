import HTTP
import Kernel
import PluginKit

/// The path of a route as it is written: `/v1/items/{id}`, `/v1/items@{version}` or `/files/*`.
///
/// A template is a list of segments between slashes, so `/x/` ends in an empty literal and is not `/x`. Literals are
/// compared byte by byte with the normalised path, so they are brought into the same normal form: `/caf%c3%a9` and
/// `/caf%C3%A9` are one template.
public struct PathTemplate: Sendable, Hashable {
  public enum Segment: Sendable, Hashable {
    case literal(String)
    /// Any one segment that is not empty.
    case parameter(String)
    /// Any one segment that begins so and goes on: `triage@{version}`.
    case prefixed(String, name: String)

    /// What the segment's parameter is called, if it has one.
    var parameterName: String? {
      switch self {
      case .literal: nil
      case .parameter(let name), .prefixed(_, let name): name
      }
    }
  }

  /// What stands between the slashes, without the final `*`.
  public let segments: [Segment]
  /// Whether the template ends in `*`: the rest, one or more segments or none.
  public let takesRest: Bool

  /// A deeper template is refused: its depth bounds the work of one match.
  public static let maximumSegments = 64

  /// More than any template has.
  static let mostBytes = 1 << 30

  /// Reads a template.
  public init(parsing text: String) throws(PathTemplateError) {
    guard text.utf8.first == UInt8(ascii: "/") else { throw .missingSlash }
    var segments: [Segment] = []
    var takesRest = false
    var parameters = 0
    var offset = 1
    for part in text.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
      if takesRest { throw .restNotLast }
      if part == "*" {
        takesRest = true
      } else {
        if part.isEmpty, offset < text.utf8.count { throw .emptySegment(at: offset) }
        segments.append(try Self.segment(String(part), at: offset, after: segments))
      }
      offset += part.utf8.count + 1
      if segments.last?.parameterName != nil, !takesRest { parameters += 1 }
      if segments.count > Self.maximumSegments { throw .tooDeep }
      if parameters > PathParameters.maximumCount { throw .tooManyParameters }
    }
    self.segments = segments
    self.takesRest = takesRest
  }

  /// The names of the parameters, from the left.
  public var parameterNames: [String] {
    segments.compactMap(\.parameterName)
  }

  private static func segment(
    _ text: String, at offset: Int, after earlier: [Segment]
  ) throws(PathTemplateError) -> Segment {
    if text.utf8.last == UInt8(ascii: "}"), let open = text.firstIndex(of: "{") {
      let name = String(text[text.index(after: open)...].dropLast())
      guard isName(name) else { throw .badParameterName(name) }
      guard !earlier.contains(where: { $0.parameterName == name }) else { throw .repeatedParameter(name) }
      if open == text.startIndex { return .parameter(name) }
      let prefix = String(text[..<open])
      // What would have to be brought into normal form together with what follows it is no prefix.
      guard !prefix.utf8.contains(UInt8(ascii: "%")), case .literal = try literal(prefix, at: offset) else {
        throw .partialSegment(text)
      }
      return .prefixed(prefix, name: name)
    }
    return try literal(text, at: offset)
  }

  private static func literal(_ text: String, at offset: Int) throws(PathTemplateError) -> Segment {
    var isPlain = true
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "*"): throw .partialSegment(text)
      case ...0x20, 0x7F...,
        _ where refused.utf8.contains(byte):
        throw .badCharacter(text)
      case UInt8(ascii: "%"), UInt8(ascii: "."): isPlain = false
      default: continue
      }
    }
    return .literal(isPlain ? text : try normalised(text, at: offset))
  }

  /// What the decoder of requests takes in no path, so that no request could ever match it.
  private static let refused = #"?#"<>\^`"#

  private static func normalised(_ literal: String, at offset: Int) throws(PathTemplateError) -> String {
    var normal = ByteBuffer(capacity: 64)
    let path = "/" + literal
    do throws(HTTPError) {
      guard try NormalizedPath.normalise(path.utf8Span.span, encodedSlashes: .keep, into: &normal) else {
        return literal
      }
    } catch {
      let bytes = Array(literal.utf8)
      guard error == .invalidPercentEncoding || error == .encodedControl else { throw .ambiguous(literal, at: offset) }
      let place = bytes.indices.first { !isGoodEscape(bytes[$0...]) } ?? 0
      let escape = String(decoding: bytes[place...].prefix(3), as: UTF8.self)
      throw .badEscape(escape, isControl: error == .encodedControl, at: offset + place)
    }
    if normal.count == 1 { throw .dotSegment(at: offset) }
    return String(normal.span.extracting(1..<normal.count))
  }

  /// Whether the bytes begin with anything but `%`, or with `%` and the digits of no control character.
  private static func isGoodEscape(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard bytes.first == UInt8(ascii: "%") else { return true }
    let digits = bytes.dropFirst().prefix(2).compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
    return digits.count == 2 && digits[0] >= 2 && digits != [7, 15]
  }

  private static func isName(_ name: String) -> Bool {
    !name.isEmpty
      && name.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"): true
        default: false
        }
      }
  }
}

extension PathTemplate: CustomStringConvertible {
  /// The template as it is written; also the `http.route` label.
  public var description: String {
    var text = ""
    for segment in segments {
      switch segment {
      case .literal(let literal): text += "/\(literal)"
      case .parameter(let name): text += "/{\(name)}"
      case .prefixed(let prefix, let name): text += "/\(prefix){\(name)}"
      }
    }
    return takesRest ? text + "/*" : text
  }
}

/// Why a path template cannot be read.
public enum PathTemplateError: Error, Equatable, CustomStringConvertible {
  case missingSlash
  case restNotLast
  case partialSegment(String)
  case badParameterName(String)
  case repeatedParameter(String)
  case badCharacter(String)
  /// `%` without two hexadecimal digits, or with those of a control character.
  case badEscape(String, isControl: Bool, at: Int)
  /// `.` or `..`, plain or encoded.
  case dotSegment(at: Int)
  /// Nothing between two slashes.
  case emptySegment(at: Int)
  /// A segment that servers read differently, which no request may have.
  case ambiguous(String, at: Int)
  case tooDeep
  case tooManyParameters

  /// Where in the text the mistake begins, in bytes; 0 when that is the whole.
  public var offset: Int {
    switch self {
    case .badEscape(_, _, let offset), .dotSegment(let offset), .emptySegment(let offset), .ambiguous(_, let offset):
      offset
    default: 0
    }
  }

  public var description: String {
    switch self {
    case .missingSlash: "a path begins with '/'"
    case .restNotLast: "'*' takes the rest of the path, so nothing may follow it"
    case .partialSegment(let text):
      "'\(text)' mixes text with a pattern: '*' stands for whole segments, '{name}' for one or for its end"
    case .badParameterName(let name): "'{\(name)}' is no parameter: a name has letters, digits, '_' and '-'"
    case .repeatedParameter(let name): "'{\(name)}' stands twice in one path: give each parameter its own name"
    case .badCharacter(let text):
      "'\(text)' holds a character that a path cannot: percent-encode spaces, controls, non-ASCII and ?#\"<>\\^`"
    case .badEscape(let text, isControl: false, _):
      "'\(text)' is no '%' with two hexadecimal digits; '%25' stands for '%'"
    case .badEscape(let text, isControl: true, _): "'\(text)' is a control character, which no path may hold"
    case .dotSegment: "`.` and `..` are resolved before paths are matched"
    case .emptySegment: "`//` is merged into one slash before paths are matched"
    case .ambiguous(let text, _): "'\(text)' can be read in two ways, so that no request may hold it"
    case .tooDeep: "a path has at most \(PathTemplate.maximumSegments) segments"
    case .tooManyParameters: "a path has at most \(PathParameters.maximumCount) parameters"
    }
  }
}
