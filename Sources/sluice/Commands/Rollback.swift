import ArgumentParser
import Kernel

struct Rollback: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Makes the running gateway go back to the configuration before.",
    discussion: """
      The file stays as it is: mend it, or the next reload brings it back. A second rollback goes forward again. The \
      gateway is found as by `reload`; without a token the process gets SIGUSR1.
      """)
  @OptionGroup var configuration: ConfigurationOption
  @OptionGroup var admin: AdminOption
  @OptionGroup var json: JSONOption

  func run() throws {
    try admin.client(configuration).change("/api/v1/rollback", signal: ProcessSignal.firstUser, json: json.isWanted)
  }
}
