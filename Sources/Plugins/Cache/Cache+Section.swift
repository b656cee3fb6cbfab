public import Configuration

extension Cache {
  public struct Settings: Sendable {
    /// Nanoseconds, as all times here.
    var ttl = 0
    var key: [RequestValue] = []
    var size = 64 << 20
    var object = 1 << 20
    var staleWhileRevalidate = 0
    var staleIfError = 0
    var wait = 5_000_000_000
  }

  public static let section = Section(
    "cache", Settings(), "Answers again what an upstream has answered before, as HTTP lets a shared cache do.",
    shorthand: "ttl",
    [
      Keyword(
        "ttl", \.ttl, .duration, "How long an answer is fresh of which the origin does not say so; 0s: it is not kept."),
      Keyword(
        "key", \.key, .list(of: .requestValue, maximum: 8),
        "Values of the request that keep answers apart, beside scheme, host, path and query."),
      Keyword("size", \.size, .size(in: (1 << 16)...(1 << 40)), "Memory for all answers together, in each process."),
      Keyword("object", \.object, .size(in: 1...(1 << 32)), "The longest body that is kept."),
      Keyword(
        "stale_while_revalidate", \.staleWhileRevalidate, .duration,
        "How long a stale answer is served while the upstream is asked anew, where the origin does not say."),
      Keyword(
        "stale_if_error", \.staleIfError, .duration,
        "How long a stale answer stands in for an upstream that fails, where the origin does not say."),
      Keyword(
        "wait", \.wait, .duration,
        "How long a request waits for another one's fetch of the same; 0s: each fetches for itself."),
    ],
    check: { settings, node, reading in
      if settings.object <= settings.size / 2 { return }
      reading.error("`object` is more than half of `size`", at: node.position, expected: "a `size` for several objects")
    })
}
