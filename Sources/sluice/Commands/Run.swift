import ArgumentParser
import Configuration
import Engine

struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs the gateway until SIGTERM.",
    discussion: """
      Prints a line for each listener once it serves. SIGTERM or SIGINT drains and exits with 0, a second one cuts what \
      is still open; SIGHUP reloads the file, SIGUSR1 rolls back, SIGUSR2 starts a new process that takes over. Exits with 1 when the file has mistakes, with 2 when \
      an address cannot be had.
      """)
  @OptionGroup var configuration: ConfigurationOption

  func run() throws {
    // Before anything is opened.
    let inheritance = try Inheritance.receive()
    let loaded = configuration.source.load()
    guard loaded.snapshot != nil else {
      configuration.tell(loaded.diagnostics)
      inheritance?.fail(loaded.diagnostics.text)
      throw ExitCode(1)
    }
    let status = try GatewayProcess.run(configuration.source, loaded, inheritance)
    if status != 0 { throw ExitCode(status) }
  }
}
