import ArgumentParser
import Configuration

struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Says every mistake in a configuration file.")
  @OptionGroup var configuration: ConfigurationOption

  func run() throws {
    let loaded = LoadedConfiguration.load(configuration.file)
    Terminal.error(loaded.diagnostics.text)
    guard loaded.snapshot != nil else { throw ExitCode(1) }
    Terminal.print("\(configuration.file): no mistakes")
  }
}
