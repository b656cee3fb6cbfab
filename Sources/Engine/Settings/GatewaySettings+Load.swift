public import Configuration

extension GatewaySettings {
  /// Reads a configuration with all it includes.
  ///
  /// - Parameters:
  ///   - plugins: those that the process knows.
  ///   - openFiles: the most files that the process may have open (the hard limit of RLIMIT_NOFILE), to say whether
  ///     `connections` fits; nil when it is not known.
  public static func load(
    file: String, environment: Environment, files: ConfigurationFiles = .disk, plugins: [PluginDeclaration] = [],
    openFiles: Int? = nil
  ) -> LoadedSettings {
    var reading = Reading(files: files, environment: environment)
    let section = GatewayDraft.section(plugins: plugins)
    reading.diagnostics.hide(secretsOf: section.shape)
    let documents = Inclusion.collect(file: file, reading: &reading)
    reportRepeated(documents, &reading)
    ProviderSettings.forgiveUnset(in: documents, &reading)
    var draft = section.initial
    for document in documents {
      if let root = document.root { section.read(root, into: &draft, &reading) }
    }
    var check = GatewayCheck(draft, file: file)
    check.run(openFiles: openFiles, &reading)
    return LoadedSettings(
      settings: reading.diagnostics.hasErrors ? nil : check.settings, readable: check.settings,
      callLogPosition: draft.callLogPosition ?? .none,
      diagnostics: reading.diagnostics)
  }

  /// The settings as a diff shows them; what the configuration leaves out stands there with its default.
  public func describe(plugins: [PluginDeclaration]) -> Description {
    GatewayDraft.section(plugins: plugins).describe(GatewayDraft(self))
  }

  /// What changes from these settings to others.
  public func diff(to other: GatewaySettings, plugins: [PluginDeclaration]) -> ConfigurationDiff {
    ConfigurationDiff(from: describe(plugins: plugins), to: other.describe(plugins: plugins))
  }

  /// A section that says one thing may stand in one file only.
  private static func reportRepeated(_ documents: [Document], _ reading: inout Reading) {
    if documents.count < 2 { return }
    var known: [String: Position] = [:]
    for document in documents {
      guard let root = document.root, root.isMapping else { continue }
      for (key, _) in root.entries where !GatewayDraft.shared.contains(key.text) {
        if let first = known[key.text], first.file != key.position.file {
          reading.error(
            "`\(key.text)` is said in two files", at: key.position, expected: "one; \(first.file):\(first.line) has it")
        }
        known[key.text] = key.position
      }
    }
  }
}

/// What came of reading a configuration.
public struct LoadedSettings: Sendable {
  /// Nil when there is an error among the diagnostics.
  public var settings: GatewaySettings?
  /// What could be read, with or without errors: for checks of one part that do not depend on the others.
  public var readable: GatewaySettings
  /// Where `call_log` is said.
  public var callLogPosition: Position
  /// Checks that come later add theirs.
  public var diagnostics: Diagnostics

  public init(
    settings: GatewaySettings?, readable: GatewaySettings, callLogPosition: Position, diagnostics: Diagnostics
  ) {
    self.settings = settings
    self.readable = readable
    self.callLogPosition = callLogPosition
    self.diagnostics = diagnostics
  }
}
