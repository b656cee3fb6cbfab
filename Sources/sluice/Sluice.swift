import ArgumentParser

/// The command line: one command a file.
@main
struct Sluice: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sluice", abstract: "An API gateway and AI gateway for Linux, configured by one file.",
    version: Version.text, subcommands: [Run.self, Check.self])
}

/// The file that most commands read.
struct ConfigurationOption: ParsableArguments {
  @Option(name: [.customShort("c"), .customLong("config")], help: "The configuration file.")
  var file = "./gateway.conf"
}
