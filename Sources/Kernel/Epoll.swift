import CLinux
import Glibc

/// What epoll says of one descriptor.
public struct Readiness: OptionSet, Sendable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  public static let readable = Readiness(rawValue: 0x1)
  public static let writable = Readiness(rawValue: 0x4)
  public static let error = Readiness(rawValue: 0x8)
  public static let hangup = Readiness(rawValue: 0x10)
  /// The peer sends no more.
  public static let halfClosed = Readiness(rawValue: 0x2000)

  /// There is something to read: bytes, an end or an error.
  public var allowsReading: Bool { rawValue & 0x2019 != 0 }
  /// The peer has closed its side, or the connection broke.
  public var endsPeer: Bool { rawValue & 0x2018 != 0 }
  /// A write would not block: it succeeds, or fails at once.
  public var allowsWriting: Bool { rawValue & 0x1c != 0 }
}

/// The kernel's list of descriptors to watch, and the events of the last wait.
@safe
public struct Epoll: ~Copyable {
  private let descriptor: FileDescriptor
  /// So many events are reported at a time; others wait for the next.
  public static let mostEvents = 512
  private let events: UnsafeMutablePointer<cl_event>
  private let capacity = Epoll.mostEvents

  public init() throws(SocketError) {
    let number = cl_epoll_create()
    if number < 0 { throw SocketError(call: "epoll_create1", code: -number) }
    descriptor = FileDescriptor(owning: number)
    // SAFETY: freed in deinit.
    unsafe events = .allocate(capacity: capacity)
  }

  // SAFETY: allocated in init.
  deinit { unsafe events.deallocate() }

  /// Readable when any of the watched descriptors has an event, so that one list can be watched by another.
  public var number: CInt { descriptor.number }

  /// Watches both directions, edge-triggered: each change is told once.
  public func add(_ number: CInt, cookie: UInt64) throws(SocketError) {
    let result = cl_epoll_add(descriptor.number, number, cookie)
    if result < 0 { throw SocketError(call: "epoll_ctl", code: -result) }
  }

  /// Watches for reading, told again until it is read.
  public func addLevel(_ number: CInt, cookie: UInt64) throws(SocketError) {
    let result = cl_epoll_add_level(descriptor.number, number, cookie)
    if result < 0 { throw SocketError(call: "epoll_ctl", code: -result) }
  }

  /// Watches for exactly these events, level-triggered; for libraries that bring their own descriptors.
  public func add(_ number: CInt, for readiness: Readiness, cookie: UInt64) throws(SocketError) {
    let result = cl_epoll_add_events(descriptor.number, number, readiness.rawValue, cookie)
    if result < 0 { throw SocketError(call: "epoll_ctl", code: -result) }
  }

  public func modify(_ number: CInt, for readiness: Readiness, cookie: UInt64) {
    _ = cl_epoll_modify_events(descriptor.number, number, readiness.rawValue, cookie)
  }

  public func remove(_ number: CInt) { _ = cl_epoll_remove(descriptor.number, number) }

  /// Waits for events and returns how many there are.
  ///
  /// - Parameter milliseconds: how long at most; -1 for ever.
  public func wait(milliseconds: CInt) -> Int {
    // SAFETY: `capacity` events are allocated.
    max(0, Int(unsafe cl_epoll_wait(descriptor.number, events, CInt(capacity), milliseconds)))
  }

  /// One event of the last wait.
  public func event(_ index: Int) -> (readiness: Readiness, cookie: UInt64) {
    precondition(index < capacity)
    // SAFETY: within the allocation; entries below the last wait's count are filled.
    let event = unsafe events[index]
    return (Readiness(rawValue: event.events), event.cookie)
  }
}

/// Wakes a loop from another thread.
public struct EventDescriptor: ~Copyable, Sendable {
  public let number: CInt

  public init() throws(SocketError) {
    number = cl_eventfd()
    if number < 0 { throw SocketError(call: "eventfd", code: -number) }
  }

  deinit { close(number) }

  public func signal() {
    var one: UInt64 = 1
    // SAFETY: eight bytes are written from an eight-byte value.
    unsafe _ = write(number, &one, 8)
  }

  public func clear() {
    var count: UInt64 = 0
    // SAFETY: eight bytes are read into an eight-byte value.
    unsafe _ = read(number, &count, 8)
  }
}

/// Unix signals as readable events.
public struct SignalDescriptor: ~Copyable {
  public let number: CInt

  /// Blocks the signals for this thread and those started from it, and reads them from here instead.
  public init(_ signals: [CInt]) throws(SocketError) {
    // SAFETY: the arrays are live for the calls.
    unsafe _ = cl_block_signals(signals, signals.count)
    number = unsafe cl_signalfd(signals, signals.count)
    if number < 0 { throw SocketError(call: "signalfd", code: -number) }
  }

  deinit { close(number) }

  /// The next pending signal; nil when there is none.
  public func next() -> CInt? {
    let signal = cl_signalfd_read(number)
    return signal == 0 ? nil : signal
  }

  /// A peer that closes must not kill the process.
  public static func ignoreBrokenPipes() { _ = signal(SIGPIPE, SIG_IGN) }
}

/// Random numbers from the kernel, for seeds.
public enum KernelRandom {
  public static func next() -> UInt64 { cl_random() }
}

/// A fast generator for ids, balancing and jitter (SplitMix64); never for secrets.
public struct SplitMix: RandomNumberGenerator, Sendable {
  private var state: UInt64
  public init(seed: UInt64) { state = seed }

  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

/// What the process may use.
public enum ProcessLimits {
  public static var processors: Int { Int(cl_cpu_count()) }

  /// The hard limit on open files.
  public static var hardFileLimit: Int {
    var limit = rlimit()
    // SAFETY: getrlimit fills the struct.
    unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    return Int(clamping: limit.rlim_max)
  }

  /// How many files the process has open.
  public static var openFiles: Int { (try? FileSystem.list("/proc/self/fd").count) ?? 0 }

  /// Raises the soft limit on open files to fit `needed`, within the hard limit; returns what is in force.
  public static func raiseFileLimit(to needed: Int) -> Int {
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
