import Glibc

/// What the process uses of the machine.
public struct ProcessUsage: Sendable, Equatable {
  /// CPU time, nanoseconds.
  public var userTime = 0, systemTime = 0
  /// Bytes.
  public var residentMemory = 0, virtualMemory = 0
  public var threads = 0
  public var openDescriptors = 0, maximumDescriptors = 0
  /// Nanoseconds since 1970; to a hundredth of a second.
  public var startTime = 0

  /// Asks the kernel; what it does not tell (a `/proc` that is not mounted) stays 0.
  public static func current() -> ProcessUsage {
    var usage = ProcessUsage()
    usage.readTimes()
    usage.readStat()
    usage.openDescriptors = (try? FileSystem.list("/proc/self/fd"))?.count ?? 0
    // The listing itself was one of them.
    usage.openDescriptors = max(0, usage.openDescriptors - 1)
    var limit = rlimit()
    // SAFETY: fills one struct on the stack.
    if unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
      usage.maximumDescriptors = Int(clamping: limit.rlim_cur)
    }
    return usage
  }

  private mutating func readTimes() {
    var raw = rusage()
    // SAFETY: fills one struct on the stack.
    guard unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &raw) == 0 else { return }
    userTime = raw.ru_utime.tv_sec * 1_000_000_000 + raw.ru_utime.tv_usec * 1_000
    systemTime = raw.ru_stime.tv_sec * 1_000_000_000 + raw.ru_stime.tv_usec * 1_000
  }

  /// Fields of proc_pid_stat(5); the second, the name, may hold spaces and parentheses.
  private mutating func readStat() {
    guard let text = ProcessUsage.read("/proc/self/stat"), let name = text.lastIndex(of: ")") else { return }
    let fields = text[name...].split(separator: " ").dropFirst()
    func field(_ number: Int) -> Int {
      let index = fields.startIndex + number - 3
      return index < fields.endIndex ? Int(fields[index]) ?? 0 : 0
    }
    threads = field(20)
    virtualMemory = field(23)
    residentMemory = field(24) * sysconf(Int32(_SC_PAGESIZE))
    let ticks = sysconf(Int32(_SC_CLK_TCK))
    guard ticks > 0, let boot = ProcessUsage.bootTime() else { return }
    startTime = boot * 1_000_000_000 + field(22) * (1_000_000_000 / ticks)
  }

  /// Seconds since 1970.
  private static func bootTime() -> Int? {
    read("/proc/stat")?.split(separator: "\n").first { $0.hasPrefix("btime ") }.flatMap { Int($0.dropFirst(6)) }
  }

  private static func read(_ path: String) -> String? {
    guard let file = try? File(path, .read) else { return nil }
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 4_096)
    while true {
      var space = block.mutableSpan
      guard let count = try? file.read(into: &space) else { return nil }
      if count == 0 { return String(decoding: bytes, as: UTF8.self) }
      bytes.append(contentsOf: block[..<count])
    }
  }
}
