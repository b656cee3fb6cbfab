import Configuration
import Kernel
import PluginKit

/// A limit on what calls of models use up, on one worker: reserves an estimate before a call and settles it after.
final class Spending {
  enum Decision {
    case admitted(Reservation)
    case refused
    /// More than the limit is in a whole period.
    case neverFits
    case failed(Fault)
  }

  let settings: SpendingSettings
  private let book: SpendingBook
  private let services: any WorkerServices
  private let store: (any SharedStore)?
  private let prefix: String
  private let admitted: PluginCounter
  private let refused: PluginCounter

  init(_ book: SpendingBook, _ services: any WorkerServices, _ metric: PluginMetric) {
    self.book = book
    self.services = services
    settings = book.settings
    store = settings.store == .shared ? services.store(SpendingSettings.Store.shared.rawValue) : nil
    let values = settings.key.map(\.text).joined(separator: ",")
    prefix = "sluice:\(book.kind):\(settings.label):\(settings.allowance.period.rawValue):\(values):"
    admitted = services.counter(metric, [settings.label, "admitted"])
    refused = services.counter(metric, [settings.label, settings.shadow ? "shadowed" : "refused"])
    book.ledger.startWriting()
  }

  /// Reserves an amount for a call.
  func reserve(_ amount: Int, _ exchange: inout Exchange) async -> Decision {
    let end = settings.allowance.period.end(of: exchange.began / 1_000_000_000)
    let key = text(of: exchange)
    let limit = settings.allowance.amount
    if amount > limit, !settings.shadow {
      refused.add()
      return .neverFits
    }
    let reservation = Reservation(self, key, amount, end: end, isShared: settings.store == .shared)
    if reservation.isShared {
      do throws(StoreError) {
        guard let store else { throw .away }
        let answer = try await store.run(
          Self.reserveScript, key: storeKey(key, end), [amount, limit, settings.shadow ? 1 : 0, end + 3600])
        guard answer.count == 2 else { throw .refused }
        book.ledger.note(key, answer[1], end: end)
        return decide(answer[0] == 1, used: answer[1], reservation)
      } catch {
        if !settings.shadow, store?.fallsBackToLocal != true { return .failed(.storeUnavailable) }
        reservation.isShared = false
      }
    }
    let used = book.ledger.reserve(key, amount, limit: limit, isForced: settings.shadow, end: end)
    return decide(used != nil, used: used ?? 0, reservation)
  }

  private func decide(_ isAdmitted: Bool, used: Int, _ reservation: Reservation) -> Decision {
    guard isAdmitted, used <= settings.allowance.amount else {
      refused.add()
      return isAdmitted ? .admitted(reservation) : .refused
    }
    admitted.add()
    return .admitted(reservation)
  }

  /// The fault with what only now is known: which limit, and when it frees.
  func refuse(_ fault: Fault, _ what: String, neverFits: Bool, _ exchange: inout Exchange) -> Verdict {
    var fault = fault
    let limit = "The \(what) `\(settings.label)` allows \(settings.allowance.text)"
    if neverFits {
      fault.isFinal = true
      exchange.faultNote = limit + ", and this call alone may need more."
    } else {
      let now = exchange.began / 1_000_000_000
      fault.retryAfter = max(1, settings.allowance.period.end(of: now) - now)
      exchange.faultNote = limit + " and begins anew in \(fault.retryAfter) s."
    }
    return .fail(fault)
  }

  // MARK: Settling

  /// What was set aside for one call.
  final class Reservation {
    fileprivate let spending: Spending
    fileprivate let key: String
    /// What stays set aside while the call goes on.
    fileprivate let aside: Int
    /// What the call has used that is counted already.
    fileprivate var counted = 0
    /// All that it takes in the period at hand.
    fileprivate var amount: Int
    fileprivate var end: Int
    fileprivate var isShared: Bool

    fileprivate init(_ spending: Spending, _ key: String, _ amount: Int, end: Int, isShared: Bool) {
      self.spending = spending
      self.key = key
      aside = amount
      self.amount = amount
      self.end = end
      self.isShared = isShared
    }

    /// Counts what the call has used up to now, beside what stays set aside for the rest of it; whether there is so much left.
    ///
    /// With a shared store that is as the store said last: what other gateways count is seen one answer later.
    func count(used: Int) -> Bool {
      let more = max(0, used - counted)
      counted += more
      return spending.count(self, more: more)
    }

    /// Puts the truth in its place.
    func settle(used: Int) { spending.settle(self, used: amount - aside + max(0, used - counted)) }
  }

  private func settle(_ reservation: Reservation, used: Int) {
    guard reservation.isShared else {
      return book.ledger.settle(reservation.key, reserved: reservation.amount, used: used, end: reservation.end)
    }
    if used != reservation.amount { change(reservation, by: used - reservation.amount) }
  }

  /// Counts more of a call that goes on, in the period at hand: into another one it takes along what is set aside.
  private func count(_ reservation: Reservation, more: Int) -> Bool {
    let end = settings.allowance.period.end(of: Clock.wall / 1_000_000_000)
    if end <= reservation.end {
      let known = book.ledger.used(reservation.key, end: reservation.end)
      settle(reservation, used: reservation.amount + more)
      reservation.amount += more
      return isEnough(known + more)
    }
    settle(reservation, used: reservation.amount - reservation.aside)
    reservation.end = end
    reservation.amount = reservation.aside + more
    if reservation.isShared {
      change(reservation, by: reservation.amount, begins: true)
      return isEnough(reservation.amount)
    }
    let used = book.ledger.reserve(
      reservation.key, reservation.amount, limit: settings.allowance.amount, isForced: true, end: end)
    return isEnough(used ?? 0)
  }

  private func isEnough(_ used: Int) -> Bool {
    if used <= settings.allowance.amount { return true }
    refused.add()
    return settings.shadow
  }

  /// Changes what the store counts. The call's record does not wait for it.
  ///
  /// - Parameter begins: whether there may be no count yet for the period.
  private func change(_ reservation: Reservation, by difference: Int, begins: Bool = false) {
    let (key, end) = (reservation.key, reservation.end)
    services.start { [self] in
      for attempt in 0..<Self.mostAttempts {
        if await changeShared(key, end, by: difference, begins: begins) { return }
        do { try await services.sleep(.seconds(1) << attempt) } catch { return }
      }
    }
  }

  /// A store that is away for longer keeps the reservation, which is too much rather than too little.
  private static let mostAttempts = 5

  private func changeShared(_ key: String, _ end: Int, by difference: Int, begins: Bool) async -> Bool {
    guard let store else { return true }
    do throws(StoreError) {
      let limit = settings.allowance.amount
      let answer =
        begins
        ? try await store.run(Self.reserveScript, key: storeKey(key, end), [difference, limit, 1, end + 3600])
        : try await store.run(Self.settleScript, key: storeKey(key, end), [difference])
      if let used = answer.last { book.ledger.note(key, used, end: end) }
      return true
    } catch { return false }
  }

  // MARK: Keys

  private func text(of exchange: borrowing Exchange) -> String {
    var text = ByteBuffer(capacity: 128)
    book.key.append(of: exchange, to: &text)
    let span = text.span
    return String(decoding: Array(copying: span), as: UTF8.self)
  }

  /// The period is part of the key, and the count expires with it.
  private func storeKey(_ key: String, _ end: Int) -> [UInt8] { Array("\(prefix)\(end)\(key)".utf8) }

  private static let reserveScript = StoreScript(
    """
    local used = tonumber(redis.call('GET', KEYS[1]) or 0)
    if ARGV[3] == '0' and used + tonumber(ARGV[1]) > tonumber(ARGV[2]) then return {0, used} end
    used = redis.call('INCRBY', KEYS[1], ARGV[1])
    redis.call('EXPIREAT', KEYS[1], ARGV[4])
    return {1, used}
    """)

  private static let settleScript = StoreScript(
    """
    if redis.call('EXISTS', KEYS[1]) == 0 then return {0} end
    return {redis.call('INCRBY', KEYS[1], ARGV[1])}
    """)
}
