import ArgumentParser
import JSON

struct VersionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "version", abstract: "Says the version.")
  @OptionGroup var json: JSONOption

  func run() throws {
    guard json.isWanted else { return Terminal.print("sluice \(Version.text)") }
    var json = JSONWriter()
    json.object { $0.member("version", Version.text) }
    Terminal.print(json)
  }
}
