import PluginKit

/// The path of a route as it is written: `/v1/items/{id}` or `/files/*`.
///
/// A template is a list of segments between slashes, so `/x/` ends in an empty literal and is not `/x`. Literals are
/// compared byte by byte with the normalised path: they must be written in the same normal form.
public struct PathTemplate: Sendable, Hashable {
  public enum Segment: Sendable, Hashable {
    case literal(String)
    /// Any one segment that is not empty.
    case parameter(String)
  }

  /// What stands between the slashes, without the final `*`.
  public let segments: [Segment]
  /// Whether the template ends in `*`: the rest, one or more segments or none.
  public let takesRest: Bool

  /// A deeper template is refused: its depth bounds the work of one match.
  public static let maximumSegments = 64

  /// Reads a template.
  public init(parsing text: String) throws(PathTemplateError) {
    guard text.utf8.first == UInt8(ascii: "/") else { throw .missingSlash }
    var segments: [Segment] = []
    var takesRest = false
    var parameters = 0
    for part in text.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
      if takesRest { throw .restNotLast }
      if part == "*" {
        takesRest = true
      } else {
        segments.append(try Self.segment(String(part), after: segments))
      }
      if case .parameter = segments.last, !takesRest { parameters += 1 }
      if segments.count > Self.maximumSegments { throw .tooDeep }
      if parameters > PathParameters.maximumCount { throw .tooManyParameters }
    }
    self.segments = segments
    self.takesRest = takesRest
  }

  /// The names of the parameters, from the left.
  public var parameterNames: [String] {
    segments.compactMap { if case .parameter(let name) = $0 { name } else { nil } }
  }

  private static func segment(_ text: String, after earlier: [Segment]) throws(PathTemplateError) -> Segment {
    if text.utf8.first == UInt8(ascii: "{"), text.utf8.last == UInt8(ascii: "}") {
      let name = String(text.dropFirst().dropLast())
      guard isName(name) else { throw .badParameterName(name) }
      guard !earlier.contains(.parameter(name)) else { throw .repeatedParameter(name) }
      return .parameter(name)
    }
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "*"): throw .partialSegment(text)
      case UInt8(ascii: "?"), UInt8(ascii: "#"), ...0x20, 0x7F...: throw .badCharacter(text)
      default: continue
      }
    }
    return .literal(text)
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
  case tooDeep
  case tooManyParameters

  public var description: String {
    switch self {
    case .missingSlash: "a path begins with '/'"
    case .restNotLast: "'*' takes the rest of the path, so nothing may follow it"
    case .partialSegment(let text): "'\(text)' mixes text with a pattern: '{name}' and '*' stand for whole segments"
    case .badParameterName(let name): "'{\(name)}' is no parameter: a name has letters, digits, '_' and '-'"
    case .repeatedParameter(let name): "'{\(name)}' stands twice in one path: give each parameter its own name"
    case .badCharacter(let text):
      "'\(text)' holds a character that a path cannot: percent-encode spaces, controls, '?', '#' and non-ASCII"
    case .tooDeep: "a path has at most \(PathTemplate.maximumSegments) segments"
    case .tooManyParameters: "a path has at most \(PathParameters.maximumCount) parameters"
    }
  }
}
