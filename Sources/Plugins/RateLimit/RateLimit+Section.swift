public import Configuration

extension RateLimit {
  public struct Settings: Sendable {
    var rate = Rate(count: 1, per: .seconds(1))
    var burst: Int?
    var key: [RequestValue] = [.ip]
    var name: String?
    var headers = true
    var shadow = false
    var store = Store.local
    var keys = 1 << 20

    /// What the limit is called where it has no name.
    var label: String { name ?? rate.text }
    var bucket: Int { burst ?? rate.count }
  }

  public enum Store: String, Sendable, CaseIterable { case local, shared }

  public static let section = Section(
    "rate_limit", Settings(), "Limits how often a caller may ask: a token bucket for each key.", shorthand: "rate",
    [
      Keyword("rate", \.rate, .rate, required: true, "How many requests a key may make, in the long run."),
      Keyword(
        "burst", \.burst, .integer(in: 1...1_000_000_000),
        "How many it may make at once after a rest; unset: the number of the rate."),
      Keyword(
        "key", \.key, .list(of: .requestValue, minimum: 1, maximum: 8),
        "Whose requests count together. A value that a request does not have is replaced by ip."),
      Keyword(
        "name", \.name, .limitName, "What the limit is called in metrics and in its fields; unset: the rate."),
      Keyword(
        "headers", \.headers, .boolean,
        "Whether answers carry RateLimit and RateLimit-Policy; Retry-After they always do."
      ),
      Keyword("shadow", \.shadow, .boolean, "Counts what would be refused, and refuses nothing."),
      Keyword(
        "store", \.store, .choice,
        "Where the buckets are: local is this gateway's memory, shared the store of that name, for several gateways."),
      Keyword(
        "keys", \.keys, .integer(in: 1024...(1 << 24)),
        "How many keys may be in use at once; the table grows to 64 bytes for each."),
    ],
    check: { settings, node, reading in
      let (refill, overflows) = settings.bucket.multipliedReportingOverflow(by: settings.rate.per)
      if overflows || refill / settings.rate.count > .days(365) {
        reading.error(
          "a bucket of \(settings.bucket) at \(settings.rate.text) takes more than a year to fill",
          at: (node.value(for: "burst") ?? node).position, expected: "a smaller `burst`, or a higher `rate`")
      }
      if settings.rate.count > settings.rate.per * 16 {
        reading.error(
          "\(settings.rate.text) is more than can be counted", at: node.position,
          expected: "at most 16 requests a nanosecond")
      }
    })
}
