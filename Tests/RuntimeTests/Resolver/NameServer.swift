import Glibc
import Kernel

/// A real DNS server on a port of this machine: dnsmasq, which knows the names under `test.`.
///
/// It is a child of the test, which ends it with `stop`.
final class NameServer {
  /// `address:port`, as a resolver takes it.
  private(set) var address = ""
  private let directory: String
  private var process: pid_t = 0

  static var isInstalled: Bool { shell("command -v dnsmasq >/dev/null 2>&1") }

  /// - Parameters:
  ///   - records: as dnsmasq writes them, `name,address,…,ttl`.
  ///   - hosts: lines of a hosts file, whose names have a TTL of 7.
  init?(records: [String] = [], hosts: [String] = []) {
    var random = SplitMix(seed: KernelRandom.next())
    directory = "/tmp/sluice-dns-\(random.next())"
    _ = Self.shell("mkdir -p \(directory)")
    write(hosts)
    for _ in 0..<20 where address.isEmpty {
      let port = Int.random(in: 20_000...60_000, using: &random)
      if start(on: port, records) { address = "127.0.0.1:\(port)" }
    }
    if address.isEmpty { return nil }
  }

  func stop() {
    kill(process, SIGKILL)
    waitpid(process, nil, 0)
    _ = Self.shell("rm -rf \(directory)")
  }

  /// Answers nothing from now on.
  func freeze() { kill(process, SIGSTOP) }

  /// Answers with these lines of a hosts file from now on.
  func replaceHosts(_ hosts: [String]) {
    write(hosts)
    kill(process, SIGHUP)
  }

  /// Starts the server and waits until it has its port; false when it has not got it.
  private func start(on port: Int, _ records: [String]) -> Bool {
    let command = """
      rm -f \(directory)/pid; exec dnsmasq --keep-in-foreground --conf-file=/dev/null --port=\(port) \
      --listen-address=127.0.0.1 --bind-interfaces --user=root --no-resolv --no-hosts --cache-size=0 \
      --addn-hosts=\(directory)/hosts --local=/test/ --local-ttl=7 --pid-file=\(directory)/pid \
      --log-facility=\(directory)/log \(records.map { "--host-record=\($0)" }.joined(separator: " ")) >/dev/null 2>&1
      """
    // SAFETY: each argument is a copy of its own that is freed below; the list ends with nil.
    var arguments: [UnsafeMutablePointer<CChar>?] = unsafe [strdup("sh"), strdup("-c"), strdup(command), nil]
    defer { unsafe arguments.forEach { unsafe free($0) } }
    guard unsafe posix_spawn(&process, "/bin/sh", nil, nil, &arguments, environ) == 0 else { return false }
    // It writes its number once it listens.
    for _ in 0..<2000 {
      if Self.shell("test -s \(directory)/pid") { return true }
      if waitpid(process, nil, WNOHANG) != 0 { return false }
      usleep(5000)
    }
    return false
  }

  private func write(_ hosts: [String]) {
    _ = Self.shell("printf '%s\\n' \(hosts.map { "'\($0)'" }.joined(separator: " ")) > \(directory)/hosts")
  }

  private static func shell(_ command: String) -> Bool {
    // SAFETY: the string is copied before the call returns.
    unsafe system(command) == 0
  }
}
