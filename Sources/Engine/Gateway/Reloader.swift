public import Configuration
import Foreign
import Kernel
import Telemetry

/// Keeps the gateway in step with its file: reload, rollback, and whether the file is newer than what runs.
///
/// A signal, the command line and the admin API all end here, on the control thread. A configuration is taken over as
/// a whole or not at all.
public final class Reloader {
  public let source: ConfigurationSource
  private let gateway: Gateway
  private let started: GatewaySettings
  private var fingerprint: ConfigurationFingerprint
  private var previousFingerprint: ConfigurationFingerprint?
  private var lastGeneration: Int
  private let begins: () -> Void
  private let tell: (ReloadOutcome) -> Void

  /// Reloads and rollbacks since the start, by how they ended.
  package private(set) var succeeded = 0
  package private(set) var failed = 0
  /// The last one; nil when there was none.
  package private(set) var last: ReloadOutcome?
  /// When the running configuration was taken over: nanoseconds since 1970.
  package private(set) var loadedAt = Clock.wall

  /// - Parameters:
  ///   - loaded: what the gateway was started with.
  ///   - begins: called before each.
  ///   - tell: told of every outcome, for the process's own log.
  public init(
    _ gateway: Gateway, source: ConfigurationSource, loaded: LoadedConfiguration, begins: @escaping () -> Void = {},
    tell: @escaping (ReloadOutcome) -> Void
  ) {
    self.gateway = gateway
    self.source = source
    self.begins = begins
    self.tell = tell
    started = gateway.snapshot.settings
    fingerprint = loaded.fingerprint
    lastGeneration = gateway.snapshot.generation
  }

  /// Reads the file and takes it over; when anything is wrong with it, the running configuration stays.
  public func reload() -> ReloadOutcome {
    begins()
    let loaded = source.load(previous: gateway.snapshot, generation: lastGeneration + 1)
    guard let next = loaded.snapshot else {
      return finish(.reload, diagnostics: loaded.diagnostics, failure: "the file has mistakes")
    }
    let before = fingerprint
    let settings = gateway.snapshot.settings
    let isSame =
      !before.isOutdated && source.diff(from: settings, to: next.settings).changes.isEmpty
      && next.settings.certificates == settings.certificates
    let outcome = adopt(next, .reload, loaded.diagnostics, isSame: isSame)
    guard outcome.succeeded else { return outcome }
    if !isSame { previousFingerprint = before }
    fingerprint = loaded.fingerprint
    lastGeneration = next.generation
    return outcome
  }

  /// Goes back to the configuration before, as it was read; a second time goes forward again.
  public func rollback() -> ReloadOutcome {
    begins()
    guard let previous = gateway.previous else {
      return finish(.rollback, failure: "there is no configuration before this one")
    }
    let outcome = adopt(previous, .rollback, Diagnostics())
    guard outcome.succeeded, let before = previousFingerprint else { return outcome }
    previousFingerprint = fingerprint
    fingerprint = before
    return outcome
  }

  /// What the file would change, without taking it over.
  public func preview() -> (diagnostics: Diagnostics, diff: ConfigurationDiff?) {
    let loaded = source.load(previous: gateway.snapshot, generation: lastGeneration + 1)
    return (loaded.diagnostics, loaded.snapshot.map { source.diff(from: gateway.snapshot.settings, to: $0.settings) })
  }

  /// Whether the file, or one that it includes, is not what runs.
  public var fileIsNewer: Bool { fingerprint.isOutdated }

  /// What the running configuration says and only a new start can do.
  public var needsRestart: [String] { started.unchangeable(in: gateway.snapshot.settings) }

  private func adopt(
    _ next: Snapshot, _ kind: ReloadOutcome.Kind, _ diagnostics: Diagnostics, isSame: Bool = false
  ) -> ReloadOutcome {
    guard gateway.state == .serving else {
      return finish(kind, diagnostics: diagnostics, failure: "the gateway is \(gateway.state.rawValue)")
    }
    if gateway.isUpgrading { return finish(kind, diagnostics: diagnostics, failure: "an upgrade is under way") }
    let old = gateway.snapshot.settings
    do { try gateway.adopt(next, isSame: isSame) } catch {
      return finish(kind, diagnostics: diagnostics, failure: "\(error)")
    }
    gateway.log?.apply(SegmentLimits(next.settings.callLog))
    loadedAt = Clock.wall
    return finish(
      kind, diagnostics: diagnostics, changes: source.diff(from: old, to: next.settings),
      renewed: next.settings.certificates.subtracting(old.certificates).count)
  }

  private func finish(
    _ kind: ReloadOutcome.Kind, diagnostics: Diagnostics = Diagnostics(), failure: String? = nil,
    changes: ConfigurationDiff? = nil, renewed: Int = 0
  ) -> ReloadOutcome {
    if failure == nil { succeeded += 1 } else { failed += 1 }
    let outcome = ReloadOutcome(
      kind: kind, number: succeeded + failed, time: Clock.wall, generation: gateway.snapshot.generation,
      file: source.file, failure: failure, diagnostics: diagnostics, changes: changes, renewedCertificates: renewed,
      needsRestart: needsRestart,
      logLevel: gateway.snapshot.settings.log.level)
    last = outcome
    tell(outcome)
    return outcome
  }
}

/// How a reload or a rollback ended.
public struct ReloadOutcome: Sendable {
  public enum Kind: String, Sendable { case reload, rollback }

  public let kind: Kind
  /// The first of the process is 1.
  public let number: Int
  /// Nanoseconds since 1970.
  public let time: Int
  /// Of the configuration that runs now.
  public let generation: Int
  public let file: String
  /// Why the running configuration stayed; nil when it was replaced.
  public let failure: String?
  /// What is to be said of the file.
  public let diagnostics: Diagnostics
  public let changes: ConfigurationDiff?
  /// Certificates of listeners that did not run before: files may change where no line does.
  public let renewedCertificates: Int
  /// What the configuration says and only a new start can do, a sentence each.
  public let needsRestart: [String]

  /// What the configuration that runs now says of the process's own log.
  public let logLevel: LogSettings.Level

  public var succeeded: Bool { failure == nil }

  /// For people: one line, then mistakes, changes and what waits for a new start. Ends in a line break.
  public var text: String {
    let changes = Self.count(changes?.changes.count ?? 0, "change")
    let renewed = renewedCertificates == 0 ? "" : ", " + Self.count(renewedCertificates, "new certificate")
    var text =
      failure.map { "\(kind.rawValue) failed: \($0); generation \(generation) keeps running\n" }
      ?? "\(kind.rawValue) done: generation \(generation) runs, \(changes)\(renewed)\n"
    text += diagnostics.text
    if let diff = self.changes { text += diff.text(limit: 50) }
    for note in needsRestart { text += "note: \(note)\n" }
    return text
  }

  private static func count(_ number: Int, _ word: String) -> String { "\(number) \(word)\(number == 1 ? "" : "s")" }
}

extension ConfigurationDiff {
  /// The first changes, one a line, and how many more there are.
  public func text(limit: Int) -> String {
    guard changes.count > limit else { return text }
    let lines = text.split(separator: "\n").prefix(limit).joined(separator: "\n")
    return lines + "\nand \(changes.count - limit) more\n"
  }
}

extension GatewaySettings {
  /// Fingerprints of what the listeners show.
  fileprivate var certificates: Set<String> {
    Set(listeners.flatMap { $0.tls?.certificates.compactMap { $0.identity?.certificate.fingerprint } ?? [] })
  }

  /// What other settings say differently and a running process cannot take over.
  func unchangeable(in next: GatewaySettings) -> [String] {
    var notes: [String] = []
    func compare(_ key: String, _ old: String, _ new: String) {
      if old != new { notes.append("`\(key)` stays \(old) until the next start; the file says \(new)") }
    }
    let automatic = "one for each core"
    compare("workers", workers.map(String.init) ?? automatic, next.workers.map(String.init) ?? automatic)
    compare("admin", admin?.address.text ?? "off", next.admin?.address.text ?? "off")
    compare("call_log.path", callLog.destination.text, next.callLog.destination.text)
    compare("log.format", log.format.rawValue, next.log.format.rawValue)
    return notes
  }
}

extension CallLogSettings.Destination {
  /// As the configuration writes it.
  public var text: String {
    switch self {
    case .off: "off"
    case .stdout: "stdout"
    case .directory(let path): path
    }
  }
}
