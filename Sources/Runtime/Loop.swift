public import Kernel
import Glibc

/// Something that epoll reports on: a socket, a listener, a wake-up.
open class EventSource {
  fileprivate(set) var slot: UInt32 = .max
  public init() {}
  /// Called on the loop with what epoll said.
  open func ready(_ readiness: Readiness) {}
}

/// One thread's event loop, which is a task executor too.
///
/// Tasks that prefer it run on its thread between two waits, so a connection's code reads top to bottom and never
/// changes threads. Everything but `post`, `enqueue` and `stop` is for that thread only.
///
/// SAFETY: executors must be `Sendable`; the thread rule above is what makes it true, and `isCurrent` checks it.
@safe
public final class Loop: TaskExecutor, @unchecked Sendable {
  private let epoll: Epoll
  private let wakeUp: EventDescriptor
  private let mailbox = Lock<Mailbox>(Mailbox())
  private var thread: pthread_t?

  private var ready: [UnownedJob] = []
  private var batch: [UnownedJob] = []
  private var wheel: TimerWheel
  private var due: [TimerEntry] = []

  private var slots: [EventSource?] = []
  private var generations: [UInt32] = []
  private var freeSlots: [UInt32] = []
  private var stopping = false

  /// Monotonic nanoseconds, read once a turn: cheap, and late by at most one turn.
  package private(set) var now: Int
  /// When what is served in this turn was gathered, or the first turn of several in a row that left something waiting.
  public private(set) var gatheredAt = 0
  private var leavesSome = false
  /// Called before each wait; for work that is done once a turn.
  public var beforeWait: (() -> Void)?

  private var waiting: [() -> Void] = []

  private struct Mailbox {
    var jobs: [UnownedJob] = []
    var messages: [@Sendable () -> Void] = []
    var signalled = false
  }

  private static let wakeCookie = UInt64.max

  public init() throws(SocketError) {
    epoll = try Epoll()
    wakeUp = try EventDescriptor()
    now = Clock.monotonic
    wheel = TimerWheel(now: now)
    ready.reserveCapacity(1024)
    batch.reserveCapacity(1024)
    try epoll.addLevel(wakeUp.number, cookie: Self.wakeCookie)
  }

  // MARK: Running

  /// Runs on the calling thread until `stop`.
  public func run() {
    thread = pthread_self()
    now = Clock.monotonic
    drainMailbox()
    while !stopping {
      runReady()
      beforeWait?()
      let count = epoll.wait(milliseconds: timeout())
      now = Clock.monotonic
      if !leavesSome { gatheredAt = now }
      leavesSome = count == Epoll.mostEvents
      for index in 0..<count { dispatch(epoll.event(index)) }
      wheel.advance(to: now, into: &due)
      if !due.isEmpty { expire() }
      if !waiting.isEmpty { runWaiting() }
    }
    runReady()
  }

  /// Ends `run` after the current turn; from any thread.
  public func stop() { post { self.stopping = true } }

  public var isCurrent: Bool { thread.map { pthread_equal($0, pthread_self()) != 0 } ?? false }

  /// Runs `message` on the loop's thread; from any thread.
  public func post(_ message: @Sendable @escaping () -> Void) {
    let mustSignal = mailbox.withLock { box in
      box.messages.append(message)
      defer { box.signalled = true }
      return !box.signalled
    }
    if mustSignal { wakeUp.signal() }
  }

  public func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    if isCurrent {
      ready.append(job)
    } else {
      let mustSignal = mailbox.withLock { box in
        box.jobs.append(job)
        defer { box.signalled = true }
        return !box.signalled
      }
      if mustSignal { wakeUp.signal() }
    }
  }

  /// Starts a task on this loop for objects that belong to it.
  @discardableResult
  public func start<Value>(_ value: Value, _ body: @escaping @Sendable (Value) async -> Void) -> Task<Void, Never> {
    let bound = LoopBound(value, on: self)
    return Task(executorPreference: self) { await body(bound.here) }
  }

  /// Runs `action` when the sockets that are ready have had their turn; for who has more to do than is fair at once.
  public func afterOthers(_ action: @escaping () -> Void) { waiting.append(action) }

  private func runWaiting() {
    var actions: [() -> Void] = []
    swap(&actions, &waiting)
    for action in actions { action() }
  }

  private func runReady() {
    var rounds = 0
    while !ready.isEmpty, rounds < 16 {
      swap(&batch, &ready)
      // SAFETY: the runtime handed each job over once, for this executor.
      for job in batch { unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
      batch.removeAll(keepingCapacity: true)
      rounds += 1
    }
  }

  private func timeout() -> CInt {
    if !ready.isEmpty || !waiting.isEmpty || stopping { return 0 }
    guard let next = wheel.nextDue() else { return -1 }
    return CInt(clamping: max(0, (next - now + 999_999) / 1_000_000))
  }

  private func dispatch(_ event: (readiness: Readiness, cookie: UInt64)) {
    if event.cookie == Self.wakeCookie { return drainMailbox() }
    let slot = Int(event.cookie & 0xffff_ffff)
    if generations[slot] == UInt32(event.cookie >> 32), let source = slots[slot] { source.ready(event.readiness) }
  }

  private func drainMailbox() {
    wakeUp.clear()
    var taken = Mailbox()
    mailbox.withLock { box in swap(&box, &taken) }
    ready.append(contentsOf: taken.jobs)
    for message in taken.messages { message() }
  }

  private func expire() {
    var expired: [TimerEntry] = []
    swap(&expired, &due)
    for entry in expired { entry.expired() }
    expired.removeAll(keepingCapacity: true)
    if due.isEmpty { swap(&expired, &due) }
  }

  // MARK: Timers

  func arm(_ entry: TimerEntry, at deadline: Int) { wheel.arm(entry, at: deadline) }
  func cancel(_ entry: TimerEntry) { wheel.cancel(entry) }

  // MARK: Event sources

  /// Watches a descriptor on behalf of `source`, edge-triggered in both directions.
  public func watch(_ number: CInt, _ source: EventSource) throws(SocketError) {
    let cookie = claimSlot(source)
    do { try epoll.add(number, cookie: cookie) } catch {
      forget(source)
      throw error
    }
  }

  /// Watches for reading, level-triggered.
  public func watchLevel(_ number: CInt, _ source: EventSource) throws(SocketError) {
    let cookie = claimSlot(source)
    do { try epoll.addLevel(number, cookie: cookie) } catch {
      forget(source)
      throw error
    }
  }

  /// Watches for exactly these events, level-triggered.
  public func watch(_ number: CInt, for readiness: Readiness, _ source: EventSource) throws(SocketError) {
    let cookie = claimSlot(source)
    do { try epoll.add(number, for: readiness, cookie: cookie) } catch {
      forget(source)
      throw error
    }
  }

  /// Stops watching a descriptor that stays open.
  public func unwatch(_ number: CInt, _ source: EventSource) {
    epoll.remove(number)
    forget(source)
  }

  /// Forgets a source whose descriptor is being closed; late events find another generation.
  public func forget(_ source: EventSource) {
    guard source.slot != .max else { return }
    let slot = Int(source.slot)
    slots[slot] = nil
    generations[slot] &+= 1
    freeSlots.append(source.slot)
    source.slot = .max
  }

  private func claimSlot(_ source: EventSource) -> UInt64 {
    let slot: UInt32
    if let free = freeSlots.popLast() {
      slot = free
      slots[Int(slot)] = source
    } else {
      slot = UInt32(slots.count)
      slots.append(source)
      generations.append(0)
    }
    source.slot = slot
    return UInt64(generations[Int(slot)]) << 32 | UInt64(slot)
  }
}

/// Carries an object of one loop into a task of the same loop.
///
/// SAFETY: the value is only ever taken out on its loop, which `here` asserts.
public struct LoopBound<Value>: @unchecked Sendable {
  private let value: Value
  private unowned let loop: Loop

  public init(_ value: Value, on loop: Loop) {
    self.value = value
    self.loop = loop
  }

  public var here: Value {
    assert(loop.isCurrent, "an object of one loop was used on another thread")
    return value
  }
}
