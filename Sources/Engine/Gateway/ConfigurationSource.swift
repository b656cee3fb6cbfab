public import Configuration
import Foreign
public import Kernel

/// Where a configuration comes from: a file with what it includes, the environment, and the plugins that the process
/// knows. Start, reload, `check` and `explain` all read it here.
public struct ConfigurationSource: Sendable {
  public let file: String
  public let declarations: [PluginDeclaration]
  public let catalog: PluginCatalog
  private let environment: Environment

  public init(
    file: String, declarations: [PluginDeclaration], catalog: PluginCatalog,
    environment: Environment = Environment(ProcessEnvironment.value)
  ) {
    self.file = file
    self.declarations = declarations
    self.catalog = catalog
    self.environment = environment
  }

  /// The file, for whoever stands elsewhere.
  public var absolutePath: String { FileSystem.absolute(file) }

  /// Reads, checks and compiles it; whatever is wrong is in the diagnostics, all of it.
  ///
  /// - Parameters:
  ///   - previous: the snapshot that this one would replace.
  ///   - triesPlaces: whether to try to write where it says, and to warn where that fails.
  public func load(
    previous: Snapshot? = nil, generation: Int = 1, triesPlaces: Bool = false
  ) -> LoadedConfiguration {
    let recorder = FingerprintRecorder()
    var loaded = GatewaySettings.load(
      file: file, environment: environment, files: recorder.files, plugins: declarations,
      openFiles: ProcessLimits.hardFileLimit)
    if triesPlaces { tryPlaces(&loaded) }
    var compiled: Snapshot?
    if let settings = loaded.settings {
      do throws(SnapshotError) {
        let snapshot = try Snapshot(settings, plugins: catalog, previous: previous, generation: generation)
        for conflict in snapshot.conflicts() { loaded.diagnostics.add(conflict) }
        settings.models?.warnOfUnreadStreams(settings, catalog, &loaded.diagnostics)
        compiled = snapshot
      } catch {
        loaded.diagnostics.error(error.message, at: error.position)
      }
    } else {
      for conflict in Snapshot.conflicts(in: loaded.readable) { loaded.diagnostics.add(conflict) }
    }
    return LoadedConfiguration(
      snapshot: loaded.diagnostics.hasErrors ? nil : compiled, diagnostics: loaded.diagnostics,
      fingerprint: recorder.fingerprint)
  }

  private func tryPlaces(_ loaded: inout LoadedSettings) {
    guard case .directory(let path) = loaded.readable.callLog.destination,
      let failure = DirectoryTrial.failure(of: path)
    else { return }
    loaded.diagnostics.warning(
      "the call log cannot be written to `\(Printable(path))`: \(failure)", at: loaded.callLogPosition,
      expected: "a directory that the user who runs the gateway can make and write, or `call_log: stdout`")
  }

  /// What the file says of the admin port, even when it has mistakes elsewhere; nil when that cannot be read.
  public func findAdmin() -> AdminSettings? {
    var reading = Reading(files: .disk, environment: environment)
    for document in Inclusion.collect(file: file, reading: &reading) {
      guard let node = document.root?.value(for: "admin") else { continue }
      var admin = AdminSettings.section.initial
      let mistakes = reading.diagnostics.errorCount
      AdminSettings.section.read(node, into: &admin, &reading)
      return reading.diagnostics.errorCount == mistakes && !node.isCut ? admin : nil
    }
    return nil
  }

  /// What changes from one configuration to another.
  public func diff(from old: GatewaySettings, to new: GatewaySettings) -> ConfigurationDiff {
    old.diff(to: new, plugins: declarations)
  }
}

/// A configuration that was read, checked and compiled; or every mistake in it.
public struct LoadedConfiguration: Sendable {
  /// Nil when there is an error among the diagnostics.
  public let snapshot: Snapshot?
  public let diagnostics: Diagnostics
  public let fingerprint: ConfigurationFingerprint
}

/// What the files of a configuration were when they were read, so that a later look tells whether others lie there.
public struct ConfigurationFingerprint: Sendable {
  fileprivate struct FileMark: Sendable {
    let path: String
    /// Nanoseconds since 1970; nil when there was no file.
    let modified: Int?
    let size: Int
    let digest: UInt64
  }

  fileprivate var files: [FileMark] = []
  /// Patterns of `include`, and what they stood for.
  fileprivate var patterns: [(pattern: String, found: [String])] = []

  /// Whether a file has other contents than were read, or a pattern stands for other files.
  ///
  /// A file is read again only when its time or size says that it was written.
  public var isOutdated: Bool {
    patterns.contains { TextFiles.matching($0.pattern) != $0.found } || files.contains { $0.isOutdated }
  }
}

extension ConfigurationFingerprint.FileMark {
  fileprivate static let largest = 1 << 30

  fileprivate var isOutdated: Bool {
    guard let status = try? FileSystem.status(of: path) else { return modified != nil }
    if status.modified == modified, status.size == size { return false }
    guard modified != nil, let bytes = try? TextFiles.read(path, limit: Self.largest) else { return true }
    return Self.digest(bytes) != digest
  }

  /// FNV-1a: it is to notice edits, not to withstand forgery.
  fileprivate static func digest(_ bytes: [UInt8]) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return hash
  }
}

/// Hands out files from disk and notes what they were.
private final class FingerprintRecorder: Sendable {
  private let marks = Lock(ConfigurationFingerprint())

  var fingerprint: ConfigurationFingerprint { marks.withLock { $0 } }

  var files: ConfigurationFiles {
    ConfigurationFiles(
      read: { [self] path, limit in read(path, limit: limit) },
      matching: { [self] pattern in
        let found = TextFiles.matching(pattern)
        marks.withLock { $0.patterns.append((pattern, found)) }
        return found
      })
  }

  private func read(_ path: String, limit: Int) -> Result<[UInt8], ConfigurationFiles.Unreadable> {
    // Before the contents: a write in between is then noticed later.
    let status = try? FileSystem.status(of: path)
    do throws(TextFiles.Failure) {
      let bytes = try TextFiles.read(path, limit: limit)
      note(path, status, digest: ConfigurationFingerprint.FileMark.digest(bytes))
      return .success(bytes)
    } catch {
      note(path, nil, digest: 0)
      switch error {
      case .unreadable(let reason): return .failure(.init(reason: reason))
      case .tooLarge: return .failure(.init(reason: "it has more than \(ByteSize.text(limit))"))
      }
    }
  }

  private func note(_ path: String, _ status: FileStatus?, digest: UInt64) {
    let mark = ConfigurationFingerprint.FileMark(
      path: path, modified: status?.modified, size: status?.size ?? 0, digest: digest)
    marks.withLock { $0.files.append(mark) }
  }
}
