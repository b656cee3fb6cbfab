import ArgumentParser
import Kernel

struct Reload: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Makes the running gateway take over its file.",
    discussion: """
      Finds the gateway by the `admin` of the file. With a token in the file, or through a Unix socket, the admin API \
      is asked; without, the process gets SIGHUP, which its own user and root may send. Exits with 1 when the file has \
      mistakes, after telling all of them: the gateway keeps running what it had.
      """)
  @OptionGroup var configuration: ConfigurationOption
  @OptionGroup var admin: AdminOption
  @OptionGroup var json: JSONOption

  func run() throws {
    try admin.clientOfFile(configuration).change("/api/v1/reload", signal: ProcessSignal.hangup, json: json.isWanted)
  }
}
