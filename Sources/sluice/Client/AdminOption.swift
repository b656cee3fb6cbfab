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

  /// Works with a file that has mistakes: it is for the gateway to say so.
  func client(_ configuration: ConfigurationOption) throws -> AdminClient {
    let found = configuration.source.findAdmin()
    if let address {
      guard let address = ListenAddress(text: address) else {
        throw ValidationError("'\(address)' is no address: write ADDRESS:PORT or unix:PATH.")
      }
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
