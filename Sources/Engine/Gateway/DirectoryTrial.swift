import Kernel

/// Whether a directory can be made and written, found out by trying: who may write where is for the kernel to say, and
/// permissions alone do not tell it.
enum DirectoryTrial {
  /// Why not; nil when it can. What is made for the trial is removed again.
  static func failure(of path: String) -> Errno? {
    do throws(Errno) {
      if let status = try? FileSystem.status(of: path) {
        guard status.isDirectory else { return .notDirectory }
        let trial = path + "/.sluice-check"
        _ = try File(trial, .replace)
        try FileSystem.remove(trial)
      } else {
        let missing = firstMissing(of: path)
        try FileSystem.makeDirectory(missing)
        try FileSystem.removeDirectory(missing)
      }
      return nil
    } catch {
      return error
    }
  }

  /// The highest of the directories that are not there.
  private static func firstMissing(of path: String) -> String {
    var missing = path
    while let slash = missing.lastIndex(of: "/"), slash > missing.startIndex {
      let parent = String(missing[..<slash])
      if (try? FileSystem.status(of: parent)) != nil { break }
      missing = parent
    }
    return missing
  }
}
