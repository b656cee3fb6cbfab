import Glibc
package import Kernel

/// A process that a test starts, and that ends with the test, also when the tests are killed.
///
/// Its output goes to files, so nothing has to be read while it runs. Signals go to its id alone.
package final class ChildProcess: Sendable, Opaque {
  package enum Exit: Equatable, Sendable {
    case exited(Int32)
    case killed(signal: Int32)
  }

  package let id: Int32
  private let exit = Lock<Exit?>(nil)

  /// - Parameters:
  ///   - arguments: the program's path and its arguments.
  ///   - environment: added to this process's own.
  ///   - output: the file that standard output goes to; nil for none.
  ///   - errors: the same for standard error.
  package init(
    _ arguments: [String], environment: [(String, String)] = [], output: String? = nil, errors: String? = nil
  ) throws(Errno) {
    // What runs it would only say so by its exit status.
    _ = try FileSystem.status(of: arguments[0])
    let words = Self.bound + arguments
    let started = SpawningThread.shared.run { () -> Result<Int32, Errno> in
      Result { () throws(Errno) in
        try Self.start(words, environment: environment, output: output, errors: errors)
      }
    }
    id = try started.get()
  }

  /// Has the kernel kill what follows it with the thread that started it (PR_SET_PDEATHSIG of prctl(2)): `setpriv` of
  /// util-linux sets that, and becomes the program. Without the tool nothing does.
  private static let bound: [String] =
    (try? FileSystem.status(of: "/usr/bin/setpriv")) == nil ? [] : ["/usr/bin/setpriv", "--pdeathsig", "KILL", "--"]

  private static func start(
    _ arguments: [String], environment: [(String, String)], output: String?, errors: String?
  ) throws(Errno) -> Int32 {
    // SAFETY: every string is copied into memory that lives until the call has returned, lists end with nil, and
    // actions and attributes are initialised before and destroyed after their only use.
    var actions = unsafe posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    unsafe posix_spawn_file_actions_init(&actions)
    unsafe posix_spawnattr_init(&attributes)
    defer {
      unsafe posix_spawn_file_actions_destroy(&actions)
      unsafe posix_spawnattr_destroy(&attributes)
    }
    unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    for (number, path) in [(STDOUT_FILENO, output), (STDERR_FILENO, errors)] {
      unsafe posix_spawn_file_actions_addopen(
        &actions, number, path ?? "/dev/null", O_WRONLY | O_CREAT | O_APPEND, 0o600)
    }
    // A thread of the test may have blocked signals; the child starts with none blocked.
    var none = sigset_t()
    unsafe sigemptyset(&none)
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

    let inherited = try Self.inheritedEnvironment(except: environment.map(\.0))
    let words = unsafe arguments.map { unsafe strdup($0) } + [nil]
    let pairs = unsafe (inherited + environment.map { "\($0.0)=\($0.1)" }).map { unsafe strdup($0) } + [nil]
    defer { unsafe (words + pairs).forEach { unsafe free($0) } }
    var number = pid_t()
    let failure = unsafe posix_spawn(&number, arguments[0], &actions, &attributes, words, pairs)
    guard failure == 0 else { throw Errno(failure) }
    return number
  }

  deinit { if exit.withLock({ $0 }) == nil { kill() } }

  package var isRunning: Bool { poll() == nil }

  /// Stops it, as if the machine had forgotten it; `thaw` lets it go on.
  package func freeze() { signal(SIGSTOP) }
  package func thaw() { signal(SIGCONT) }

  package func signal(_ signal: Int32) { if isRunning { _ = Glibc.kill(id, signal) } }

  package func terminate() { signal(SIGTERM) }

  /// Ends it at once, and waits until it is gone.
  package func kill() {
    signal(SIGKILL)
    _ = try? wait(until: .usual)
  }

  /// Waits until the process has ended.
  @discardableResult
  package func wait(until deadline: Deadline) throws(WireError) -> Exit {
    while true {
      if let exit = poll() { return exit }
      if deadline.hasPassed { throw .timedOut }
      Pause.milliseconds(2)
    }
  }

  /// How it ended; nil while it runs.
  private func poll() -> Exit? {
    exit.withLock { exit in
      if exit != nil { return exit }
      var status: Int32 = 0
      // SAFETY: writes one number on the stack.
      guard unsafe waitpid(id, &status, WNOHANG) == id else { return nil }
      exit = status & 0x7F == 0 ? .exited((status >> 8) & 0xFF) : .killed(signal: status & 0x7F)
      return exit
    }
  }

  private static func inheritedEnvironment(except names: [String]) throws(Errno) -> [String] {
    let text = try TemporaryDirectory.contents(of: "/proc/self/environ")
    return text.split(separator: "\0").map(String.init).filter { pair in
      !names.contains { pair.hasPrefix($0 + "=") }
    }
  }
}

extension ChildProcess {
  /// Bytes of memory that the kernel counts for it.
  package var residentBytes: Int { figure("VmRSS:").map { $0 * 1024 } ?? 0 }

  /// The most that it ever had.
  package var peakResidentBytes: Int { figure("VmHWM:").map { $0 * 1024 } ?? 0 }

  /// How many descriptors it has open.
  package var openDescriptors: Int { (try? FileSystem.list("/proc/\(id)/fd").count) ?? 0 }

  private func figure(_ name: String) -> Int? {
    guard let status = try? TemporaryDirectory.contents(of: "/proc/\(id)/status") else { return nil }
    let line = status.split(separator: "\n").first { $0.hasPrefix(name) }
    return line.flatMap { Int($0.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first ?? "") }
  }
}
