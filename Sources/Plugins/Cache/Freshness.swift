/// How long a stored answer may be used (RFC 9111 §4.2), and how long beyond that; ages in seconds.
struct Freshness: Sendable {
  /// Monotonic nanoseconds when the answer came.
  var storedAt = 0
  /// How old it was then.
  var initialAge = 0
  var lifetime = 0
  /// It may never be used without asking the upstream.
  var alwaysRevalidates = false
  /// It may not be used once it is stale, whatever clients take.
  var mustRevalidate = false
  var staleWhileRevalidate = 0
  var staleIfError = 0

  func age(at now: Int) -> Int { min(initialAge + max(0, now - storedAt) / 1_000_000_000, CacheDirectives.longest) }

  /// What may be done with the answer for a request that says this.
  enum Use: Equatable {
    case fresh
    /// Stale, and served all the same because the client takes it.
    case stale
    /// The same, while the upstream is asked in the background.
    case staleWhileRevalidating
    /// The upstream must be asked first.
    case revalidate
  }

  func use(at now: Int, _ request: CacheDirectives) -> Use {
    if alwaysRevalidates || request.noCache { return .revalidate }
    let age = age(at: now)
    if let most = request.maxAge, age > most { return .revalidate }
    let left = lifetime - age
    if left > 0, left >= request.minFresh ?? 0 { return .fresh }
    if mustRevalidate || request.minFresh != nil { return .revalidate }
    if let most = request.maxStale, -left <= most { return .stale }
    return -left < staleWhileRevalidate ? .staleWhileRevalidating : .revalidate
  }

  /// Whether it may stand in for an upstream that fails.
  func coversErrors(at now: Int, _ request: CacheDirectives) -> Bool {
    if mustRevalidate || alwaysRevalidates { return false }
    return age(at: now) - lifetime < max(staleIfError, request.staleIfError ?? 0)
  }
}
