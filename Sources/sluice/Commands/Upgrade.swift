import ArgumentParser
import Kernel

struct Upgrade: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Replaces the running gateway by a new process, without losing a request.",
    discussion: """
      Put the new program in the place of the old one before. The running gateway starts it with its own arguments, \
      hands over every listening socket, and drains once the new one serves. If the new one fails, all stays as it is, \
      its reason is told, and the exit status is 1. The gateway is found as by `reload`; without a token the process \
      gets SIGUSR2.
      """)
  @OptionGroup var configuration: ConfigurationOption
  @OptionGroup var admin: AdminOption
  @Option(
    help: "A program elsewhere, by its absolute path; for an admin port that is a Unix socket.")
  var binary: String?
  @OptionGroup var json: JSONOption

  func run() throws { try admin.client(configuration).upgrade(to: binary, json: json.isWanted) }
}
