import CLinux
import Glibc

/// What epoll says of one descriptor.
package struct Readiness: OptionSet, Sendable {
  package let rawValue: UInt32
  package init(rawValue: UInt32) { self.rawValue = rawValue }

  package static let readable = Readiness(rawValue: 0x1)
  package static let writable = Readiness(rawValue: 0x4)
  package static let error = Readiness(rawValue: 0x8)
  package static let hangup = Readiness(rawValue: 0x10)
  /// The peer sends no more.
  package static let halfClosed = Readiness(rawValue: 0x2000)
}

/// The kernel's list of descriptors to watch, and the events of the last wait.
@safe
package struct Epoll: ~Copyable {
  private let descriptor: FileDescriptor
  private let events: UnsafeMutablePointer<cl_event>
  private let capacity = 512

  package init() throws(SocketError) {
    let number = cl_epoll_create()
    if number < 0 { throw SocketError(call: "epoll_create1", code: -number) }
    descriptor = FileDescriptor(owning: number)
    // SAFETY: freed in deinit.
    unsafe events = .allocate(capacity: capacity)
  }

  // SAFETY: allocated in init.
  deinit { unsafe events.deallocate() }

  /// Watches both directions, edge-triggered: each change is told once.
  package func add(_ number: CInt, cookie: UInt64) throws(SocketError) {
    let result = cl_epoll_add(descriptor.number, number, cookie)
    if result < 0 { throw SocketError(call: "epoll_ctl", code: -result) }
  }

  /// Watches for reading, told again until it is read.
  package func addLevel(_ number: CInt, cookie: UInt64) throws(SocketError) {
    let result = cl_epoll_add_level(descriptor.number, number, cookie)
    if result < 0 { throw SocketError(call: "epoll_ctl", code: -result) }
  }

  /// Watches for exactly these events, level-triggered; for libraries that bring their own descriptors.
  package func add(_ number: CInt, for readiness: Readiness, cookie: UInt64) throws(SocketError) {
    let result = cl_epoll_add_events(descriptor.number, number, readiness.rawValue, cookie)
    if result < 0 { throw SocketError(call: "epoll_ctl", code: -result) }
  }

  package func modify(_ number: CInt, for readiness: Readiness, cookie: UInt64) {
    _ = cl_epoll_modify_events(descriptor.number, number, readiness.rawValue, cookie)
  }

  package func remove(_ number: CInt) { _ = cl_epoll_remove(descriptor.number, number) }

  /// Waits for events and returns how many there are.
  ///
  /// - Parameter milliseconds: how long at most; -1 for ever.
  package func wait(milliseconds: CInt) -> Int {
    // SAFETY: `capacity` events are allocated.
    max(0, Int(unsafe cl_epoll_wait(descriptor.number, events, CInt(capacity), milliseconds)))
  }

  /// One event of the last wait.
  package func event(_ index: Int) -> (readiness: Readiness, cookie: UInt64) {
    precondition(index < capacity)
    // SAFETY: within the allocation; entries below the last wait's count are filled.
    let event = unsafe events[index]
    return (Readiness(rawValue: event.events), event.cookie)
  }
}

/// Wakes a loop from another thread.
package struct EventDescriptor: ~Copyable, Sendable {
  package let number: CInt

  package init() throws(SocketError) {
    number = cl_eventfd()
    if number < 0 { throw SocketError(call: "eventfd", code: -number) }
  }

  deinit { close(number) }

  package func signal() {
    var one: UInt64 = 1
    // SAFETY: eight bytes are written from an eight-byte value.
    unsafe _ = write(number, &one, 8)
  }

  package func clear() {
    var count: UInt64 = 0
    // SAFETY: eight bytes are read into an eight-byte value.
    unsafe _ = read(number, &count, 8)
  }
}

/// Unix signals as readable events.
package struct SignalDescriptor: ~Copyable {
  package let number: CInt

  /// Blocks the signals for this thread and those started from it, and reads them from here instead.
  package init(_ signals: [CInt]) throws(SocketError) {
    // SAFETY: the arrays are live for the calls.
    unsafe _ = cl_block_signals(signals, signals.count)
    number = unsafe cl_signalfd(signals, signals.count)
    if number < 0 { throw SocketError(call: "signalfd", code: -number) }
  }

  deinit { close(number) }

  /// The next pending signal; nil when there is none.
  package func next() -> CInt? {
    let signal = cl_signalfd_read(number)
    return signal == 0 ? nil : signal
  }

  /// A peer that closes must not kill the process.
  package static func ignoreBrokenPipes() { _ = signal(SIGPIPE, SIG_IGN) }
}

/// Random numbers from the kernel, for seeds.
package enum KernelRandom {
  package static func next() -> UInt64 { cl_random() }
}

/// A fast generator for ids, balancing and jitter (SplitMix64); never for secrets.
package struct SplitMix: RandomNumberGenerator, Sendable {
  private var state: UInt64
  package init(seed: UInt64) { state = seed }

  package mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

/// What the process may use.
package enum ProcessLimits {
  package static var processors: Int { Int(cl_cpu_count()) }

  /// The hard limit on open files.
  package static var hardFileLimit: Int {
    var limit = rlimit()
    // SAFETY: getrlimit fills the struct.
    unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    return Int(clamping: limit.rlim_max)
  }

  /// Raises the soft limit on open files to fit `needed`, within the hard limit; returns what is in force.
  package static func raiseFileLimit(to needed: Int) -> Int {
    var limit = rlimit()
    // SAFETY: both calls use the struct they are given.
    unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    let wanted = min(rlim_t(needed), limit.rlim_max)
    if wanted > limit.rlim_cur {
      limit.rlim_cur = wanted
      unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
    return Int(clamping: limit.rlim_cur)
  }
}
