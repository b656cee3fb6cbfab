import Admin
import ArgumentParser
import Configuration
import Engine
import JSON

struct Diff: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Says what one configuration changes in another.",
    discussion: """
      With NEW, compares the file of -c with it. Without, asks the running gateway what a reload of its file would \
      change. One line a change: + added, - removed, ~ changed. Secrets are compared and not shown.
      """)
  @Argument(help: "The other file.") var new: String?
  @OptionGroup var configuration: ConfigurationOption
  @OptionGroup var admin: AdminOption
  @OptionGroup var json: JSONOption

  func run() throws {
    guard let new else { return try compareWithRunning() }
    let old = try configuration.load()
    let source = BuiltIn.source(new)
    let loaded = source.load(previous: old)
    guard let next = loaded.snapshot else {
      Terminal.error(loaded.diagnostics.text)
      throw ExitCode(1)
    }
    let diff = source.diff(from: old.settings, to: next.settings)
    guard json.isWanted else { return Terminal.print(diff.changes.isEmpty ? "no changes" : diff.text) }
    var json = JSONWriter()
    json.object {
      $0.member("from", configuration.file)
      $0.member("to", new)
      $0.array("changes") { $0.elements(diff, limit: .max) }
    }
    Terminal.print(json)
  }

  private func compareWithRunning() throws {
    let client = try admin.clientOfFile(configuration)
    let answer = try client.get("/api/v1/diff", json: json.isWanted)
    let text = answer.body.isEmpty ? "no changes" : answer.body
    if answer.status == 200 { return Terminal.print(text) }
    if json.isWanted { Terminal.print(text) } else { Terminal.error(text) }
    throw ExitCode(1)
  }
}
