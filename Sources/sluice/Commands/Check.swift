import Admin
import ArgumentParser
import Configuration
import Engine
import JSON

struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Says every mistake in a configuration file.",
    discussion: "Exits with 1 when there is one. Warnings alone are no mistake.")
  @OptionGroup var configuration: ConfigurationOption
  @OptionGroup var json: JSONOption

  func run() throws {
    let loaded = configuration.source.load(triesPlaces: true)
    if json.isWanted {
      Terminal.print(document(loaded))
    } else {
      configuration.tell(loaded.diagnostics)
      if let snapshot = loaded.snapshot { Terminal.print(summary(snapshot.settings, loaded.diagnostics)) }
    }
    if loaded.snapshot == nil { throw ExitCode(1) }
  }

  private func summary(_ settings: GatewaySettings, _ diagnostics: Diagnostics) -> String {
    let warnings = diagnostics.sorted.count
    let found = [
      Counted.text(settings.listeners.count, "listener"), Counted.text(settings.routes.count, "route"),
      Counted.text(settings.upstreams.count, "upstream"),
      Counted.text(settings.upstreams.reduce(0) { $0 + $1.targets.count }, "target"),
    ]
    let verdict = warnings == 0 ? "no mistakes" : "no mistakes, \(Counted.text(warnings, "warning"))"
    return "\(configuration.file): \(verdict); \(found.joined(separator: ", "))"
  }

  private func document(_ loaded: LoadedConfiguration) -> JSONWriter {
    var json = JSONWriter()
    json.object {
      $0.member("file", configuration.file)
      $0.member("ok", loaded.snapshot != nil)
      $0.member("errors", loaded.diagnostics.errorCount)
      if let settings = loaded.snapshot?.settings {
        $0.member("listeners", settings.listeners.count)
        $0.member("routes", settings.routes.count)
        $0.member("upstreams", settings.upstreams.count)
      }
      $0.array("diagnostics") { $0.elements(loaded.diagnostics) }
    }
    return json
  }
}

/// Numbers of things as people write them.
enum Counted {
  static func text(_ count: Int, _ thing: String) -> String { "\(count) \(thing)\(count == 1 ? "" : "s")" }
}
