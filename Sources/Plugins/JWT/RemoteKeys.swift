import Configuration
import Foreign
import Kernel
import PluginKit
import Synchronization

/// The key set of an issuer that is fetched from a URL, for all workers: when to fetch it, and how long it may be trusted.
///
/// It is fetched before it is too old, by whichever worker comes first, and early where a token names a key that it does
/// not have; that happens once in `cooldown` at most, whatever tokens say. What cannot be read never takes the place of keys
/// that could be: those go on until they are too old.
final class RemoteKeys: Sendable {
  struct Settings: Sendable, Equatable {
    /// The longest time between two fetches. An answer may ask for a shorter one.
    var refresh = Nanoseconds.minutes(10)
    /// The shortest.
    var cooldown = Nanoseconds.seconds(30)
    /// How much longer keys hold when no others can be had.
    var stale = Nanoseconds.hours(1)
    /// For one fetch, and for a request that waits for it.
    var timeout = Nanoseconds.seconds(5)
  }

  private struct State {
    var keys: VerificationKeys?
    var fingerprint: SHA256Digest?
    /// Monotonic nanoseconds when it is to be fetched next.
    var due = Int.min
    /// When the last fetch began, and the fetch while it goes on.
    var began = Int.min
    var flight: Flight?
    var failures = 0
  }

  private let settings: Settings
  private let state = Lock(State())
  /// Another number for other keys.
  private let version = Atomic(0)
  /// Monotonic nanoseconds until which the keys may be used.
  private let goodUntil = Atomic(Int.min)

  init(_ settings: Settings) { self.settings = settings }

  var timeout: Int { settings.timeout }

  // MARK: For those who check tokens

  /// Which keys are the current ones; -1 when there are none that may be used.
  func currentVersion(now: Int) -> Int {
    goodUntil.load(ordering: .acquiring) > now ? version.load(ordering: .acquiring) : -1
  }

  var keys: VerificationKeys { state.withLock { $0.keys } ?? VerificationKeys([]) }

  // MARK: For those who fetch

  enum Turn {
    /// The caller fetches, and says how it went.
    case fetch(Flight)
    case running(Flight)
    case notBefore(Int)
  }

  /// Whose turn it is.
  ///
  /// - Parameter wanted: whether there is a reason to fetch before it is time.
  func turn(now: Int, wanted: Bool) -> Turn {
    state.withLock { state -> Turn in
      // A fetch that nobody ended, because its worker is gone, is over some time.
      if let flight = state.flight, now < state.began + 2 * settings.timeout { return .running(flight) }
      let early = wanted && state.began != .min ? state.began + settings.cooldown : Int.max
      let time = min(state.due, early)
      if now < time { return .notBefore(time) }
      let flight = Flight()
      state.flight = flight
      state.began = now
      return .fetch(flight)
    }
  }

  /// Whether waiting could help: a fetch goes on, or may begin.
  func mayFetch(now: Int) -> Bool {
    state.withLock { state in
      if state.flight != nil, now < state.began + 2 * settings.timeout { return true }
      return state.began == .min || now >= state.began + settings.cooldown
    }
  }

  /// Takes new keys; false when they are those that were known.
  ///
  /// - Parameter lifetime: nanoseconds for which the answer says that it holds; nil when it does not say.
  func succeed(_ flight: Flight, _ keys: VerificationKeys, _ fingerprint: SHA256Digest, lifetime: Int?, now: Int)
    -> Bool
  {
    let isNew = state.withLock { state in
      let isNew = state.fingerprint != fingerprint
      state.keys = keys
      state.fingerprint = fingerprint
      state.failures = 0
      let wait = min(settings.refresh, max(settings.cooldown, lifetime ?? settings.refresh))
      state.due = now + wait
      if isNew { version.wrappingAdd(1, ordering: .releasing) }
      goodUntil.store(now + wait + settings.stale, ordering: .releasing)
      if state.flight === flight { state.flight = nil }
      return isNew
    }
    flight.end()
    return isNew
  }

  /// Waits longer after each failure, with a random part so that many gateways do not come at once.
  func fail(_ flight: Flight, now: Int, random: UInt64) {
    state.withLock { state in
      state.failures += 1
      let wait = min(settings.refresh, 1_000_000_000 << min(state.failures - 1, 16))
      state.due = now + wait / 2 + Int(random % UInt64(max(1, wait / 2)))
      if state.flight === flight { state.flight = nil }
    }
    flight.end()
  }
}

/// Fetches the keys, again and again, on one worker.
struct KeyFetcher {
  let keys: RemoteKeys
  let call: ServiceCall
  let services: any WorkerServices
  let fetched, unchanged, unreadable, failed: PluginCounter

  private static let largestSet = 1 << 20

  /// Goes on until the worker's configuration is another one.
  func run() async {
    while true {
      var pause = 1_000_000_000
      switch keys.turn(now: services.now, wanted: false) {
      case .fetch(let flight): await fetch(flight)
      case .running: break
      case .notBefore(let time): pause = max(1_000_000, time - services.now)
      }
      do throws(CancellationError) { try await services.sleep(pause) } catch { return }
    }
  }

  func fetch(_ flight: Flight) async {
    guard let answer = await read() else { return fail(flight, failed) }
    guard let set = try? VerificationKeys(jwks: answer.body, isLenient: true).withoutSecrets else {
      return fail(flight, unreadable)
    }
    let lifetime = CacheLifetime.seconds(answer.header("cache-control"))
    let isNew = keys.succeed(
      flight, set, SHA256.digest(of: answer.body.span), lifetime: lifetime, now: services.now)
    (isNew ? fetched : unchanged).add()
  }

  private func fail(_ flight: Flight, _ counter: PluginCounter) {
    counter.add()
    keys.fail(flight, now: services.now, random: KernelRandom.next())
  }

  private func read() async -> ClientResponse? {
    let request = ClientRequest(
      upstream: call.upstream, target: call.url.target,
      headers: [("Host", call.url.hostField), ("Accept", "application/jwk-set+json, application/json")],
      timeout: keys.timeout, largestResponse: Self.largestSet)
    guard let answer = try? await services.client.send(request), answer.status == 200 else { return nil }
    return answer
  }
}

extension VerificationKeys {
  /// Those that may be public; nil when none is. A secret that anybody can fetch proves nothing.
  fileprivate var withoutSecrets: VerificationKeys? {
    let open = all.filter { $0.key.family != .secret }
    return open.isEmpty ? nil : VerificationKeys(open)
  }
}

/// How long an answer says that it holds (RFC 9111 §5.2.2).
enum CacheLifetime {
  /// In nanoseconds; 0 for `no-store` and `no-cache`.
  static func seconds(_ field: String?) -> Int? {
    guard let field else { return nil }
    var lifetime: Int?
    for part in field.lowercased().split(separator: ",") {
      let directive = part.drop { $0 == " " }
      if directive.hasPrefix("no-store") || directive.hasPrefix("no-cache") { return 0 }
      if directive.hasPrefix("max-age="), let seconds = Int(directive.dropFirst(8)), seconds >= 0 {
        lifetime = min(seconds, 31_536_000) * 1_000_000_000
      }
    }
    return lifetime
  }
}
