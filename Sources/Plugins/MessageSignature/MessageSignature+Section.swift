public import Configuration

extension MessageSignature {
  public struct Settings: Sendable {
    var skew: Nanoseconds = .minutes(5)
    var components = ["@method", "@authority", "@path", "@query", "content-digest"]
    var tag: String?
    var limit = 1 << 20
    var remembered = 100_000
    var forward: [(String, RequestValue)] = []
    var realm = "gateway"
    var failures = Rate(count: 60, per: .minutes(1))
  }

  public static let section = Section(
    "hmac", Settings(), "Knows consumers by the signature of the request (RFC 9421, hmac-sha256).",
    [
      Keyword(
        "maximum_skew", \.skew, .duration(in: .seconds(1) ... .hours(1)),
        "How far from now a signature may have been made; within it none is taken twice."),
      Keyword(
        "components", \.components, .list(of: component, minimum: 1, maximum: 32),
        "What a signature must cover; @query and content-digest where the request has a query, and a body."),
      Keyword(
        "tag", \.tag, .text("tag", expectation: "the tag of the application", limit: 200),
        "The tag that a signature must have; others are passed over."),
      Keyword(
        "limit", \.limit, .size(in: 1...(1 << 28)), "The longest body whose digest is checked; a longer one gets 413."),
      Keyword(
        "remembered", \.remembered, .integer(in: 100...10_000_000),
        "How many signatures are remembered to tell repeated ones; beyond, requests get 503."),
      Keyword(
        "forward", \.forward, .forwardedIdentity,
        "Fields that tell the upstream who calls: consumer. The client's own of these names are removed."),
      Keyword("realm", \.realm, .realm, "What the challenge of a 401 calls the protected space."),
      Keyword(
        "failures", \.failures, .rate, "How often one address may fail; beyond, it waits, with good signatures too."),
    ])

  private static let derived = [
    "@method", "@authority", "@scheme", "@path", "@query", "@request-target", "@target-uri",
  ]

  private static let component = ValueType<String>.text(
    "component", expectation: "a field name, or one of \(derived.joined(separator: ", "))", limit: 100
  ).checked { name throws(ScalarMistake) in
    if name.hasPrefix("@") {
      if !derived.contains(name) { throw .malformed }
    } else if !Token.isToken(name.utf8) || name != name.lowercased() {
      throw .malformed
    }
  }
}
