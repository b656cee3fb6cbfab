import Glibc

/// The files that a configuration is made of, as they lie on disk.
public enum TextFiles {
  public enum Failure: Error, Equatable {
    /// In the kernel's words: `No such file or directory`.
    case unreadable(String)
    case tooLarge
  }

  /// The whole of a file.
  ///
  /// - Parameter limit: in bytes; a longer file is refused before it fills memory.
  public static func read(_ path: String, limit: Int) throws(Failure) -> [UInt8] {
    // SAFETY: the path is a terminated copy that lives during the call.
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    guard descriptor >= 0 else { throw .unreadable(reason(errno)) }
    defer { close(descriptor) }
    var status = stat()
    // SAFETY: a local of the right type.
    guard unsafe fstat(descriptor, &status) == 0 else { throw .unreadable(reason(errno)) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw .unreadable("it is no regular file") }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: min(limit, max(4096, Int(status.st_size))) + 1)
    while true {
      // SAFETY: the array's own memory, as long as it says.
      let count = unsafe chunk.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
      if count < 0 {
        if errno == EINTR { continue }
        throw .unreadable(reason(errno))
      }
      if count == 0 { return bytes }
      bytes.append(contentsOf: chunk[..<count])
      if bytes.count > limit { throw .tooLarge }
    }
  }

  /// The paths that a shell pattern stands for, sorted; none when nothing matches.
  public static func matching(_ pattern: String) -> [String] {
    var found = unsafe glob_t()
    // SAFETY: a zeroed glob_t is what glob wants; its list is read before it is freed.
    defer { unsafe globfree(&found) }
    guard unsafe glob(pattern, 0, nil, &found) == 0 else { return [] }
    return unsafe (0..<Int(found.gl_pathc)).compactMap { index in
      unsafe found.gl_pathv[index].map { unsafe String(cString: $0) }
    }
  }

  private static func reason(_ code: Int32) -> String {
    // SAFETY: strerror gives a terminated string, used at once; its only other caller would write the same text.
    unsafe String(cString: strerror(code))
  }
}
