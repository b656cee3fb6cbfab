import HTTP
import Kernel
import PluginKit

/// What the head of an answer says about keeping it.
struct AnswerTraits {
  var directives = CacheDirectives()
  private(set) var hasDirectives = false
  private(set) var fields = RenderedFields()
  private(set) var conditionalFields = RenderedFields()
  private(set) var etag: [UInt8] = []
  private(set) var lastModified: [UInt8] = []
  /// Names in lower case; `*` among them means that nobody can know.
  private(set) var vary: [String] = []
  /// Bytes of the fields.
  private(set) var size = 0
  /// Whether it is for one client only, or a part of something.
  private(set) var isUnfit = false
  /// Of a 304: the names that it brings.
  private(set) var names: Set<String> = []
  private var age = 0
  private var date: Int?
  private var expires: Int?

  /// Fields that are of one exchange, or written anew whenever the answer is sent.
  private static func isKept(_ name: FieldName) -> Bool {
    switch name {
    case .contentLength, .age, .xRequestID, .xFault, .trailer, .setCookie: false
    default: !name.isHopByHop
    }
  }

  mutating func read(_ name: Span<UInt8>, _ value: Span<UInt8>) {
    let known = FieldName.known(name)
    switch known {
    case .cacheControl:
      directives.read(value)
      hasDirectives = true
    case .age: age = max(age, CacheDirectives.seconds(value, from: 0))
    case .date: date = HTTPDate.seconds(of: value)
    case .expires: expires = min(expires ?? .max, HTTPDate.seconds(of: value) ?? 0)
    case .etag: etag = Self.array(value)
    case .lastModified: lastModified = Self.array(value)
    case .vary: readVary(value)
    case .setCookie, .contentRange: isUnfit = true
    default: break
    }
    size += name.count + value.count + 16
    guard Self.isKept(known) else { return }
    names.insert(Self.lower(name))
    if !fields.append(name, value) { isUnfit = true }
    if !Self.isAboutContent(name) { conditionalFields.append(name, value) }
  }

  /// Takes over what a 304 does not say anew (RFC 9111 §3.2).
  mutating func readRest(of old: CachedAnswer) {
    let told = names
    old.fields.forEach { name, value in
      if !told.contains(Self.lower(name)) { read(name, value) }
    }
  }

  /// A 304 has no word about content that it does not have (RFC 9110 §15.4.5).
  private static func isAboutContent(_ name: Span<UInt8>) -> Bool {
    let prefix = ByteScan.bytes(of: "content-")
    return name.count > prefix.count && ByteScan.equalIgnoringCase(name.extracting(0..<prefix.count), prefix)
      && !ByteScan.equalIgnoringCase(name, ByteScan.bytes(of: "content-location"))
  }

  private mutating func readVary(_ value: Span<UInt8>) {
    var start = 0
    while let range = FieldElements.next(of: value, from: &start) {
      let name = Self.lower(value.extracting(range))
      if !vary.contains(name) { vary.append(name) }
      if vary.count > Self.mostVaried { isUnfit = true }
      if isUnfit { return }
    }
  }

  private static let mostVaried = 8

  /// The names that the answer was chosen by.
  ///
  /// - Parameter isPlain: whether the upstream was asked for no coding, whatever clients take. Then one that has none is
  ///   the same for all of them.
  func choice(isPlain: Bool) -> [String] {
    isPlain && !names.contains("content-encoding") ? vary.filter { $0 != "accept-encoding" } : vary
  }

  /// How long it is fresh, by what the origin says; by `ttl` where it says nothing.
  ///
  /// - Parameters:
  ///   - now: monotonic nanoseconds.
  ///   - wall: seconds since 1970.
  ///   - delay: seconds from asking to the answer.
  func freshness(_ status: Int, _ policy: CachePolicy, now: Int, wall: Int, delay: Int) -> Freshness {
    var freshness = Freshness(storedAt: now)
    let apparent = max(0, wall - (date ?? wall))
    freshness.initialAge = max(apparent, age + delay)
    if let seconds = directives.sharedMaxAge ?? directives.maxAge {
      freshness.lifetime = seconds
    } else if let expires {
      freshness.lifetime = min(max(0, expires - (date ?? wall)), CacheDirectives.longest)
    } else if !directives.noCache, Self.takesDefault(status) {
      freshness.lifetime = policy.ttl
    }
    freshness.alwaysRevalidates = directives.noCache
    freshness.mustRevalidate =
      directives.mustRevalidate || directives.proxyRevalidate || directives.sharedMaxAge != nil
    freshness.staleWhileRevalidate = directives.staleWhileRevalidate ?? policy.staleWhileRevalidate
    freshness.staleIfError = directives.staleIfError ?? policy.staleIfError
    return freshness
  }

  /// Whether somebody said how long it holds.
  var isExplicit: Bool { directives.maxAge != nil || directives.sharedMaxAge != nil || expires != nil }

  /// Statuses that `ttl` is for; others are kept when the origin says so itself.
  private static func takesDefault(_ status: Int) -> Bool {
    status == 200 || status == 203 || status == 301 || status == 308
  }

  /// Whether it may be kept at all (RFC 9111 §3, §3.5).
  ///
  /// - Parameter isAuthorized: whether the request says who calls, and the key does not keep callers apart.
  func mayBeStored(_ status: Int, isAuthorized: Bool, _ freshness: Freshness) -> Bool {
    if isUnfit || directives.noStore || directives.isPrivate || vary.contains("*") { return false }
    guard status >= 200, status != 206, status != 304 else { return false }
    if isAuthorized, !directives.isPublic, directives.sharedMaxAge == nil, !directives.mustRevalidate { return false }
    if status >= 500, !isExplicit { return false }
    let hasValidator = !etag.isEmpty || !lastModified.isEmpty
    return hasValidator && (isExplicit || directives.noCache || freshness.lifetime > 0)
      || freshness.lifetime > freshness.initialAge && !freshness.alwaysRevalidates
  }

  static func lower(_ text: Span<UInt8>) -> String {
    String(decoding: text.indices.map { text[$0] &- 0x41 < 26 ? text[$0] | 0x20 : text[$0] }, as: UTF8.self)
  }

  private static func array(_ text: Span<UInt8>) -> [UInt8] { text.indices.map { text[$0] } }
}

/// What the configuration says where the origin says nothing; in seconds.
struct CachePolicy: Sendable {
  var ttl = 0
  var staleWhileRevalidate = 0
  var staleIfError = 0
}
