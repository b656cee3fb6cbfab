public import Configuration
import HTTP

extension CORS {
  public struct Settings: Sendable {
    var origins: [OriginPattern] = []
    var methods = ["GET", "HEAD", "POST"]
    var headers: [String] = []
    var expose: [String] = []
    var maxAge: Nanoseconds?
    var credentials = false
  }

  public static let section = Section(
    "cors", Settings(), "Lets pages of other sites read the responses, and answers their preflights.",
    shorthand: "origins",
    [
      Keyword(
        "origins", \.origins, .list(of: .origin, minimum: 1, maximum: 256), required: true,
        "The sites: `https://app.example.com`, `https://*.example.com` for all below, `*` for every one."),
      Keyword(
        "methods", \.methods, .list(of: .method),
        "The methods that pages may use, or `*`; GET, HEAD and POST need no mention to a browser."),
      Keyword(
        "headers", \.headers, .list(of: .corsFieldName),
        "The request fields that pages may send beyond those that every form can, or `*` for all but Authorization."),
      Keyword("expose", \.expose, .list(of: .corsFieldName), "The response fields that pages may read, or `*`."),
      Keyword(
        "max_age", \.maxAge, .duration(in: .seconds(1) ... .days(365)),
        "How long a browser may remember the answer to a preflight, in whole seconds; unset: 5 s, as browsers do."),
      Keyword(
        "credentials", \.credentials, .boolean,
        "Whether requests may carry cookies and HTTP authentication; not together with `*`."),
    ],
    check: { settings, node, reading in
      if settings.origins.contains(.any), settings.origins.count > 1 {
        reading.error(
          "`*` allows every origin, so the others say nothing", at: node.position, expected: "`*` alone, or a list")
      }
      guard settings.credentials else { return }
      if settings.origins.contains(.any) {
        reading.error(
          "`credentials` with `origins: \"*\"` would let every site act as its visitors", at: node.position,
          expected: "the origins that are meant; browsers refuse this combination")
      }
      for (name, list) in [("methods", settings.methods), ("headers", settings.headers), ("expose", settings.expose)]
      where list.contains("*") {
        reading.error(
          "`*` in `\(name)` is no wildcard when there are `credentials`", at: node.position,
          expected: "a list of what is meant (Fetch §3.2.5)")
      }
    })
}

extension CORS.Settings {
  /// What browsers ask for before a request, beside the origin.
  var preflightLines: RenderedFields {
    var lines = credentialLines
    if !methods.isEmpty { lines.append("Access-Control-Allow-Methods", methods.joined(separator: ", ")) }
    if !headers.isEmpty { lines.append("Access-Control-Allow-Headers", headers.joined(separator: ", ")) }
    if let maxAge { lines.append("Access-Control-Max-Age", "\(maxAge / .seconds(1))") }
    return lines
  }

  /// What they look for in the response itself.
  var responseLines: RenderedFields {
    var lines = credentialLines
    if !expose.isEmpty { lines.append("Access-Control-Expose-Headers", expose.joined(separator: ", ")) }
    return lines
  }

  private var credentialLines: RenderedFields {
    credentials ? RenderedFields(("Access-Control-Allow-Credentials", "true")) : RenderedFields()
  }
}

extension ValueType where Value == OriginPattern {
  /// An origin, all below a domain, or every one.
  fileprivate static var origin: ValueType {
    scalar(
      ScalarShape("origin", expectation: "an origin such as https://app.example.com or https://*.example.com, or *"),
      text: \.text
    ) { text throws(ScalarMistake) in try OriginPattern(text) }
  }
}

extension ValueType where Value == String {
  /// The name of a field as it was written, or `*`, which is a token too.
  fileprivate static var corsFieldName: ValueType {
    token("field name", expectation: "a field name such as Content-Type, or *") { $0 }
  }
}
