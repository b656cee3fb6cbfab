import Kernel

/// Where this program was started from.
enum OwnProgram {
  /// The path as it was called, so that a link which leads to another version later leads there; looked up in `PATH`
  /// as a shell does.
  static var path: String {
    let name = CommandLine.arguments[0]
    if name.contains("/") { return name }
    let folders = ProcessEnvironment.value("PATH")?.split(separator: ":").map(String.init) ?? []
    return folders.map { $0 + "/" + name }.first { (try? FileSystem.status(of: $0)) != nil } ?? name
  }
}
