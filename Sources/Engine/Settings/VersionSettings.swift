import Configuration

/// Which version of an API a route is, and how long it stays. Dates are seconds since 1970.
public struct VersionSettings: Sendable, Equatable {
  /// What becomes of calls after `sunset`.
  public enum AfterSunset: String, Sendable, CaseIterable { case serve, gone }

  public var name = ""
  public var deprecated: Int?
  public var sunset: Int?
  /// A path or a URL.
  public var successor: String?
  public var afterSunset = AfterSunset.serve

  static let section = Section(
    "version", VersionSettings(), "Which version of an API the route is, and how long it stays.", shorthand: "name",
    [
      Keyword("name", \.name, .text("name", limit: 100), required: true, "What the version is called in the call log."),
      Keyword(
        "deprecated", \.deprecated, .date,
        "Since when, or from when on, it should not be used any more: answers carry Deprecation (RFC 9745)."),
      Keyword("sunset", \.sunset, .date, "When it goes away: answers carry Sunset (RFC 8594)."),
      Keyword(
        "successor", \.successor, .link,
        "What to use instead, a path or a URL: answers carry it as Link with rel=\"successor-version\"."),
      Keyword(
        "after_sunset", \.afterSunset, .choice, "After that day: serve goes on as before, gone answers with 410."),
    ],
    check: { version, node, reading in
      if let deprecated = version.deprecated, let sunset = version.sunset, sunset < deprecated {
        reading.error(
          "it goes away before it is deprecated", at: (node.value(for: "sunset") ?? node).position,
          expected: "a `sunset` not before \(CalendarTime.text(deprecated)) (RFC 9745 §4)")
      }
      if version.afterSunset == .gone, version.sunset == nil {
        reading.error(
          "`after_sunset` means nothing without a `sunset`", at: (node.value(for: "after_sunset") ?? node).position,
          expected: "a `sunset`")
      }
    })
}

extension ValueType where Value == String {
  /// What can stand between the angle brackets of `Link` (RFC 8288 §3).
  fileprivate static var link: ValueType {
    scalar(ScalarShape("link", expectation: "a path or a URL in printable ASCII, such as /v2/feedback"), text: { $0 }) {
      text throws(ScalarMistake) in
      let forbidden = Set("<>\"{}|\\^`".utf8)
      guard !text.isEmpty, text.utf8.count <= 2048,
        text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && !forbidden.contains($0) })
      else { throw .malformed }
      return text
    }
  }
}
