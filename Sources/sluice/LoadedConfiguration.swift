import Configuration
import Engine
import Kernel

/// A configuration file, read, checked and compiled; or every mistake in it.
struct LoadedConfiguration {
  let snapshot: Snapshot?
  let diagnostics: Diagnostics

  /// - Parameter previous: the snapshot that a reload replaces.
  static func load(_ file: String, previous: Snapshot? = nil) -> LoadedConfiguration {
    var loaded = GatewaySettings.load(
      file: file, environment: Environment(ProcessEnvironment.value), plugins: BuiltIn.declarations,
      openFiles: ProcessLimits.hardFileLimit)
    guard let settings = loaded.settings else {
      return LoadedConfiguration(snapshot: nil, diagnostics: loaded.diagnostics)
    }
    do throws(SnapshotError) {
      let snapshot = try Snapshot(
        settings, plugins: BuiltIn.catalog, previous: previous, generation: (previous?.generation ?? 0) + 1)
      for conflict in snapshot.conflicts() { loaded.diagnostics.add(conflict) }
      return LoadedConfiguration(
        snapshot: loaded.diagnostics.hasErrors ? nil : snapshot, diagnostics: loaded.diagnostics)
    } catch {
      loaded.diagnostics.error(error.message, at: error.position)
      return LoadedConfiguration(snapshot: nil, diagnostics: loaded.diagnostics)
    }
  }
}
