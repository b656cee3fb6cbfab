import JSON

/// When a provider wants to be asked again, in any of the spellings that providers have.
///
/// Pure: fields go in one by one, then the body; what is asked for stands in `seconds`.
public struct RetryHint: Sendable {
  private let now: Int
  /// What `Retry-After` and its like say, in milliseconds.
  private var said: Int?
  /// By what is limited (requests, tokens, …): how much is left, and in how many milliseconds there is more.
  private var remaining: [String: Int] = [:]
  private var resets: [String: Int] = [:]

  /// - Parameter now: seconds since 1970.
  public init(now: Int) { self.now = now }

  /// Milliseconds to wait; nil when nothing was said that can be understood. A day at most.
  public var milliseconds: Int? {
    if let said { return Self.bounded(said) }
    let spent = resets.filter { remaining[$0.key] == 0 }
    return (spent.isEmpty ? resets.values.min() : spent.values.max()).map(Self.bounded)
  }

  /// The same in seconds, rounded up, for a `Retry-After` of our own.
  public var seconds: Int? { milliseconds.map { ($0 + 999) / 1000 } }

  private static func bounded(_ value: Int) -> Int { min(max(0, value), 86_400_000) }

  /// Takes a field of the answer's head.
  ///
  /// - Parameter name: in lower case.
  public mutating func take(_ name: String, _ value: String) {
    switch name {
    case "retry-after-ms": said = Self.number(value).map { Int($0) } ?? said
    case "retry-after":
      if said == nil { said = Self.number(value).map { Int($0 * 1000) } ?? Self.date(value).map { ($0 - now) * 1000 } }
    default: takeLimit(name, value)
    }
  }

  /// `x-ratelimit-reset-tokens`, `x-ratelimit-reset`, `anthropic-ratelimit-tokens-reset`, and what they are about.
  private mutating func takeLimit(_ name: String, _ value: String) {
    guard name.contains("ratelimit") else { return }
    let words = name.split(separator: "-")
    let subject = words.filter { !["x", "anthropic", "ratelimit", "reset", "remaining"].contains($0) }
      .joined(separator: "-")
    if words.contains("remaining") {
      remaining[subject] = Int(value)
    } else if words.contains("reset"), let wait = wait(value) {
      resets[subject] = wait
    }
  }

  /// A span such as `6m0s`, a number of seconds, a point in time as a number or a date.
  private func wait(_ text: String) -> Int? {
    if let number = Self.number(text) {
      // Nobody waits for years: what is so large is a time, in seconds or in milliseconds.
      if number > 100_000_000_000 { return Int(min(number, 1e16)) - now * 1000 }
      return number > 100_000_000 ? (Int(number) - now) * 1000 : Int(number * 1000)
    }
    return Self.span(text) ?? Self.date(text).map { ($0 - now) * 1000 }
  }

  /// Takes the body of the answer: Google says there how long (`google.rpc.RetryInfo`).
  public mutating func take(body: JSONElement) {
    for detail in body["error"]?["details"]?.elements ?? [] {
      guard detail["@type"]?.string?.hasSuffix("google.rpc.RetryInfo") == true,
        let delay = detail["retryDelay"]?.string, let wait = Self.span(delay)
      else { continue }
      said = wait
    }
  }

  // MARK: Spellings

  private static func number(_ text: String) -> Double? {
    guard !text.isEmpty, text.utf8.count <= 20, text.utf8.allSatisfy({ $0 &- 0x30 < 10 || $0 == UInt8(ascii: ".") })
    else { return nil }
    // Further than any clock goes, and an integer still when it is counted in milliseconds.
    return Double(text).map { min($0, 1e15) }
  }

  /// `1h2m3.5s`, `17ms`: in milliseconds.
  private static func span(_ text: String) -> Int? {
    var sum = 0.0
    var rest = text[...]
    if text.utf8.count > 40 || text.isEmpty { return nil }
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isNumber || $0 == "." }
      rest = rest.dropFirst(digits.count)
      let unit = rest.prefix { $0.isLetter }
      rest = rest.dropFirst(unit.count)
      guard let number = number(String(digits)) else { return nil }
      switch unit {
      case "ms": sum += number
      case "s": sum += number * 1000
      case "m": sum += number * 60_000
      case "h": sum += number * 3_600_000
      case "d": sum += number * 86_400_000
      default: return nil
      }
    }
    return sum < 1e15 ? Int(sum) : nil
  }

  /// `Sun, 06 Nov 1994 08:49:37 GMT` or `1994-11-06T08:49:37Z`, as seconds since 1970.
  private static func date(_ text: String) -> Int? {
    let words = text.split { " ,:-TZ.".contains($0) }
    if text.hasSuffix("GMT"), words.count == 8, let month = months.firstIndex(of: String(words[2])) {
      return seconds([String(words[3]), "\(month + 1)", String(words[1])] + words[4...6].map(String.init))
    }
    return text.hasSuffix("Z") && (6...7).contains(words.count) ? seconds(words.prefix(6).map(String.init)) : nil
  }

  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  /// Year, month, day, hour, minute, second. Counted in years that begin in March: 400 of them have 146 097 days.
  private static func seconds(_ words: [String]) -> Int? {
    let parts = words.compactMap { Int($0) }
    guard parts.count == 6, (1970...9999).contains(parts[0]), (1...12).contains(parts[1]), (1...31).contains(parts[2]),
      (0...23).contains(parts[3]), (0...59).contains(parts[4]), (0...60).contains(parts[5])
    else { return nil }
    let year = parts[1] <= 2 ? parts[0] - 1 : parts[0]
    let yearOfEra = year % 400
    let dayOfYear = (153 * (parts[1] > 2 ? parts[1] - 3 : parts[1] + 9) + 2) / 5 + parts[2] - 1
    let days = year / 400 * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    return days * 86_400 + parts[3] * 3600 + parts[4] * 60 + parts[5]
  }
}
