import CLinux
import Glibc

/// A program that this process started, by its id until it was waited for.
public struct StartedProcess: Sendable {
  public let id: CInt

  /// Starts a program with standard input, output and errors of this process and with some of its descriptors.
  ///
  /// It begins with no signal blocked. Everything else that is open here is closed there.
  ///
  /// - Parameters:
  ///   - arguments: the program's path first.
  ///   - environment: all of it, `NAME=VALUE` each.
  ///   - inheriting: descriptors that the program gets under the same number.
  public init(_ arguments: [String], environment: [String], inheriting: [CInt]) throws(Errno) {
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
    // To the same number: that takes the close-on-exec mark away.
    for number in inheriting { unsafe posix_spawn_file_actions_adddup2(&actions, number, number) }
    var none = sigset_t()
    unsafe sigemptyset(&none)
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    let words = unsafe arguments.map { unsafe strdup($0) } + [nil]
    let pairs = unsafe environment.map { unsafe strdup($0) } + [nil]
    defer { unsafe (words + pairs).forEach { unsafe free($0) } }
    var number = pid_t()
    let failure = unsafe posix_spawn(&number, arguments[0], &actions, &attributes, words, pairs)
    guard failure == 0 else { throw Errno(failure) }
    id = number
  }

  /// Waits until it has ended, for a while by itself, and says how: `exit status 1`, `signal 9`.
  ///
  /// - Parameter patience: nanoseconds until it is killed.
  public func end(patience: Int = 0) -> String {
    let deadline = Clock.monotonic + patience
    var status: CInt = 0
    // SAFETY: writes one number on the stack.
    while unsafe waitpid(id, &status, WNOHANG) == 0 {
      if Clock.monotonic >= deadline { _ = kill(id, SIGKILL) }
      ProcessPause.sleep(nanoseconds: 1_000_000)
    }
    return status & 0x7F == 0 ? "exit status \((status >> 8) & 0xFF)" : "signal \(status & 0x7F)"
  }
}

/// A pipe between processes: what is written at one end is read at the other.
public struct Pipe: ~Copyable {
  public let reading: FileDescriptor
  public let writing: FileDescriptor

  /// Both ends block, and close when another program is started.
  public init() throws(Errno) {
    var ends: (CInt, CInt) = (-1, -1)
    // SAFETY: the call writes two numbers into a tuple of two.
    let result = unsafe withUnsafeMutablePointer(to: &ends) { pointer in
      unsafe pointer.withMemoryRebound(to: CInt.self, capacity: 2) { unsafe cl_pipe($0) }
    }
    if result < 0 { throw Errno(-result) }
    reading = FileDescriptor(owning: ends.0)
    writing = FileDescriptor(owning: ends.1)
  }

  /// Gives the reading end away and closes the other.
  public consuming func takeReading() -> FileDescriptor { reading }
}

extension FileDescriptor {
  /// A descriptor that the process was started with: from now on no program that it starts gets it.
  ///
  /// Nil when nothing is open under that number.
  public init?(inherited number: CInt) {
    guard number > STDERR_FILENO, cl_close_on_exec(number) >= 0 else { return nil }
    self.init(owning: number)
  }

  /// Writes text; what a pipe does not take at once is waited for.
  public borrowing func write(_ text: String) {
    let bytes = text.utf8Span.span
    var done = 0
    while done < bytes.count {
      // SAFETY: the span is live for the call.
      let count = unsafe bytes.extracting(done..<bytes.count).withUnsafeBufferPointer {
        unsafe Glibc.write(number, $0.baseAddress, $0.count)
      }
      if count < 0, errno == EINTR { continue }
      if count <= 0 { return }
      done += count
    }
  }

  /// Reads what has come, some of it, as bytes; empty at the end and after an error.
  public borrowing func read(atMost count: Int) -> [UInt8] {
    // SAFETY: the kernel writes at most the buffer's size, and says how much it was.
    unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      filled = unsafe max(0, Glibc.read(number, buffer.baseAddress, buffer.count))
    }
  }
}
