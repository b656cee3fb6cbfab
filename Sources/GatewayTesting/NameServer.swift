import Glibc
import Kernel

/// A real DNS server on a port of this machine: dnsmasq, which knows the names under `test.`.
package final class NameServer: Sendable {
  /// `address:port`, as a resolver takes it.
  package let address: String
  private let directory: TemporaryDirectory
  private let process: ChildProcess

  package static let isInstalled = Shell.has("dnsmasq")
  package static let hint = "dnsmasq is not installed: apt-get install dnsmasq-base"

  package struct Failure: Error {}

  /// Starts it and waits until it has its port.
  ///
  /// - Parameters:
  ///   - records: as dnsmasq writes them, `name,address,…,ttl`.
  ///   - hosts: lines of a hosts file.
  ///   - ttl: seconds, of the names in `hosts`.
  package init(records: [String] = [], hosts: [String] = [], ttl: Int = 7) throws {
    let directory = try TemporaryDirectory()
    self.directory = directory
    try directory.write(Self.text(hosts), to: "hosts")
    for _ in 0..<20 {
      let port = Ports.free()
      let options =
        [
          "--keep-in-foreground", "--conf-file=/dev/null", "--port=\(port)", "--listen-address=127.0.0.1",
          "--bind-interfaces", "--user=root", "--no-resolv", "--no-hosts", "--cache-size=0",
          "--addn-hosts=\(directory["hosts"])", "--local=/test/", "--local-ttl=\(ttl)",
          "--pid-file=\(directory["pid"])", "--log-facility=\(directory["log"])",
        ] + records.map { "--host-record=\($0)" }
      let process = try ChildProcess(["/bin/sh", "-c", "exec dnsmasq \"$@\"", "dnsmasq"] + options)
      // It writes its number once it listens.
      let hasStarted = Deadline.usual.poll { (try? directory.read("pid"))?.isEmpty == false || !process.isRunning }
      if hasStarted, process.isRunning {
        self.process = process
        address = "127.0.0.1:\(port)"
        return
      }
      process.kill()
    }
    throw Failure()
  }

  package func stop() { process.kill() }

  /// Answers nothing from now on.
  package func freeze() { process.signal(SIGSTOP) }

  /// Answers again, also what was asked meanwhile.
  package func thaw() { process.signal(SIGCONT) }

  /// Answers with these lines of a hosts file from now on.
  package func replaceHosts(_ hosts: [String]) throws {
    try directory.write(Self.text(hosts), to: "hosts")
    process.signal(SIGHUP)
  }

  private static func text(_ hosts: [String]) -> String { hosts.map { $0 + "\n" }.joined() }
}
