import ArgumentParser
import Configuration
import Engine
import Kernel

/// How a command finds the gateway that runs.
struct AdminOption: ParsableArguments {
  @Option(
    name: .customLong("admin"),
    help: "Where the running gateway's admin port is, ADDRESS:PORT or unix:PATH; by default what the file says.")
  var address: String?

  /// Here, and not when it is used: then the usage that is shown would be that of `sluice`.
  func validate() throws {
    if let address, ListenAddress(text: address) == nil {
      throw ValidationError("'\(address)' is no address: write ADDRESS:PORT or unix:PATH.")
    }
  }

  /// The gateway that a command about its file means.
  ///
  /// It reads the file that it was started with, whatever this command names: another one is refused, before anything is
  /// said to be done with it. By `--admin` the gateway is named, and the file only has its token.
  func clientOfFile(_ configuration: ConfigurationOption) throws -> AdminClient {
    let client = try client(configuration)
    guard address == nil, let running = try client.status()["file"],
      let mine = try? FileSystem.status(of: configuration.file), let its = try? FileSystem.status(of: running),
      !mine.isSameFile(as: its)
    else { return client }
    throw client.fail(
      """
      the gateway on \(client.address) runs \(running), not \(configuration.file): write -c \(running), or start one \
      with \(configuration.file)
      """)
  }

  /// Works with a file that has mistakes: it is for the gateway to say so.
  func client(_ configuration: ConfigurationOption) throws -> AdminClient {
    let found = configuration.source.findAdmin()
    if let address = address.flatMap({ ListenAddress(text: $0) }) {
      return AdminClient(address: address, token: found?.token)
    }
    if let found { return AdminClient(address: found.address, token: found.token) }
    let loaded = configuration.source.load()
    Terminal.error(loaded.diagnostics.text)
    Terminal.error(
      """
      \(configuration.file) does not say where the admin port is. Add `admin: 127.0.0.1:9900`, name it by --admin, or \
      send the process a signal: SIGHUP reloads, SIGUSR1 rolls back, SIGUSR2 upgrades.

      """)
    throw ExitCode(1)
  }
}
