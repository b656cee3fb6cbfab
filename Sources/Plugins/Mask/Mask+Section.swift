public import Configuration
import Detection
import Foreign
import Kernel

extension Mask {
  public struct Settings: Sendable {
    var request = Side()
    var response = Side()
    var method = MaskMethod.redact
    var limit = 1 << 20
  }

  struct Side: Sendable {
    var paths: [JSONPath] = []
    var detect: [Detector] = []
    var expressions: [(String, RegularExpression)] = []

    var isEmpty: Bool { paths.isEmpty && detect.isEmpty && expressions.isEmpty }
  }

  public static let section = Section(
    "mask", Settings(), "Takes personal data out of JSON bodies: by where it stands, and by what it looks like.",
    [
      Keyword("request", \.request, .section(side("request")), "What is masked before the upstream gets the request."),
      Keyword(
        "response", \.response, .section(side("response")), "What is masked before the client gets the response."),
      Keyword(
        "with", \.method, .maskMethod,
        "What takes its place: remove, redact, partial, or `{ pseudonym: KEY }`, the same for the same value and key."),
      Keyword(
        "limit", \.limit, .size(in: 1...(1 << 28)),
        "The longest body that is masked; a longer request gets 413, a longer response is a 502."),
    ],
    check: { settings, node, reading in
      if !settings.request.isEmpty || !settings.response.isEmpty { return }
      reading.error("`mask` masks nothing", at: node.position, expected: "`paths`, `detect` or `expressions`")
    })

  private static func side(_ name: String) -> Section<Side> {
    Section(
      name, Side(), "What is masked in the body of a \(name).",
      [
        Keyword(
          "paths", \.paths, .list(of: .maskedPath), "Values that are masked: `body.a.b`, with `*` for every element."),
        Keyword(
          "detect", \.detect, .list(of: .choice), "What is masked wherever it is recognised in a text or a number."),
        Keyword(
          "expressions", \.expressions, .map(key: .text(limit: 64), to: .expression),
          "Regular expressions for what else is to be recognised, by the names that stand in its place."),
      ])
  }
}

/// What takes the place of a value.
enum MaskMethod: Sendable {
  case remove, redact, partial
  case pseudonym(Secret)
}

extension ValueType where Value == JSONPath {
  fileprivate static var maskedPath: ValueType {
    .scalar(
      ScalarShape("path of a value", expectation: "body.PATH, with `*` for every element"),
      text: { path in "body." + path.segments.map { String(decoding: $0.name, as: UTF8.self) }.joined(separator: ".") }
    ) { text throws(ScalarMistake) in
      guard case .body(let path)? = Place(text), !path.segments.isEmpty else { throw .malformed }
      return path
    }
  }
}

extension ValueType where Value == RegularExpression {
  fileprivate static var expression: ValueType {
    .scalar(ScalarShape("expression", expectation: "a regular expression"), text: \.pattern) {
      text throws(ScalarMistake) in
      do throws(RegularExpression.Mistake) {
        let expression = try RegularExpression(text)
        guard case .found = expression.search("".utf8Span.span) else { return expression }
      } catch { throw .other("`\(text)` is no expression: \(error.message)", at: error.offset) }
      throw .other(
        "`\(text)` matches nothing at all, and so everywhere", expected: "an expression that needs a character")
    }
  }
}

extension ValueType where Value == MaskMethod {
  private enum Word: String, Sendable, CaseIterable { case remove, redact, partial }

  private static var keyed: Section<Secret?> {
    Section(
      "with", nil, "A pseudonym that only who has the key can make.",
      [
        Keyword(
          "pseudonym", .secret, required: true, "The key, as ${NAME} or file:PATH.", get: { $0 }, set: { $0 = $1 })
      ])
  }

  fileprivate static var maskMethod: ValueType {
    let word = ValueType<Word>.choice
    return ValueType(
      shape: .either([word.shape, .section(keyed.shape)]),
      read: { node, reading in
        if node.isMapping {
          var key: Secret?
          keyed.read(node, into: &key, &reading)
          return key.map { .pseudonym($0) }
        }
        switch word.read(node, &reading) {
        case .remove: return .remove
        case .redact: return .redact
        case .partial: return .partial
        case nil: return nil
        }
      },
      describe: { method in
        switch method {
        case .remove: .text("remove")
        case .redact: .text("redact")
        case .partial: .text("partial")
        case .pseudonym(let key): .group([("pseudonym", .secret(key))])
        }
      })
  }
}
