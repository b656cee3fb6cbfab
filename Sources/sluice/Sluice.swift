import ArgumentParser
import Configuration
import Engine
import Kernel

/// The command line: one command a file.
@main
struct Sluice: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sluice", abstract: "An API gateway and AI gateway for Linux, configured by one file.",
    discussion: """
      Most commands read ./gateway.conf unless -c names another file. They exit with 0 when all went well, with 1 after \
      telling every mistake of a file, and `run` with 2 when an address cannot be had.
      """,
    version: "sluice \(Version.text)",
    subcommands: [
      Run.self, Check.self, Diff.self, Explain.self, Reload.self, Rollback.self, Upgrade.self, Schema.self, Demo.self,
      Key.self,
      VersionCommand.self,
    ])

  static func main() {
    let names = configuration.subcommands.map { $0._commandName }
    if let word = CommandLine.arguments.dropFirst().first, !word.hasPrefix("-"), word != "help", !names.contains(word) {
      let hint = NearestWord.find(word, in: names).map { "did you mean '\($0)'?" } ?? "see those there are."
      exit(withError: ValidationError("There is no command '\(word)': \(hint)"))
    }
    main(nil)
  }
}

/// The file that most commands read.
struct ConfigurationOption: ParsableArguments {
  @Option(name: [.customShort("c"), .customLong("config")], help: "The configuration file.")
  var file = "./gateway.conf"

  private static let example = "gateway.conf.example"

  var source: ConfigurationSource { BuiltIn.source(file) }

  /// The configuration without mistakes; with any, tells all of them and exits with 1.
  func load() throws -> Snapshot {
    let loaded = source.load()
    guard let snapshot = loaded.snapshot else {
      tell(loaded.diagnostics)
      throw ExitCode(1)
    }
    return snapshot
  }

  /// Tells all that is to be said of the file.
  func tell(_ diagnostics: Diagnostics) {
    Terminal.error(diagnostics.text)
    if diagnostics.hasErrors, file.hasSuffix(Self.example), diagnostics.text.contains("cannot read ") {
      Terminal.error(
        "  the certificates of \(Self.example) are made by `make run`, or by scripts/local-certificate DIRECTORY\n")
    }
    guard diagnostics.hasErrors, (try? FileSystem.status(of: file)) == nil else { return }
    Terminal.error("  name the file with -c FILE; \(Self.example) is one to begin with\n")
  }
}

/// Whether a machine reads the answer.
struct JSONOption: ParsableArguments {
  @Flag(name: .customLong("json"), help: "Answer in JSON.")
  var isWanted = false
}
