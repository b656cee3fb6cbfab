import CLinux
import Glibc

/// An open file, closed when this value goes.
public struct File: ~Copyable, Sendable {
  private let descriptor: Int32
  private let isOwned: Bool

  /// What a file is opened for.
  public enum Access: Sendable {
    case read
    /// Read and changed as it is; never made.
    case edit
    /// Writes go to the end; made when it is missing.
    case append
    /// Emptied when it exists, made when it is missing.
    case replace

    fileprivate var flags: Int32 {
      switch self {
      case .read: O_RDONLY
      case .edit: O_RDWR
      case .append: O_WRONLY | O_CREAT | O_APPEND
      case .replace: O_WRONLY | O_CREAT | O_TRUNC
      }
    }
  }

  /// - Parameter permissions: of a file that is made, less the process's umask.
  public init(_ path: String, _ access: Access, permissions: UInt32 = 0o640) throws(Errno) {
    // SAFETY: the path is copied by the kernel.
    descriptor = try Errno.check { unsafe open(path, access.flags | O_CLOEXEC, permissions) }
    isOwned = true
  }

  private init(borrowing descriptor: Int32) {
    self.descriptor = descriptor
    isOwned = false
  }

  deinit { if isOwned { close(descriptor) } }

  public static var standardOutput: File { File(borrowing: STDOUT_FILENO) }
  public static var standardError: File { File(borrowing: STDERR_FILENO) }

  public var isTerminal: Bool { isatty(descriptor) == 1 }

  /// Writes some of `bytes`: a file takes all of them unless the disk is full, a pipe what fits.
  ///
  /// - Returns: how many were taken.
  public func write(_ bytes: Span<UInt8>) throws(Errno) -> Int {
    try Errno.check {
      // SAFETY: the call reads `count` bytes of a live span.
      unsafe bytes.withUnsafeBufferPointer { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
    }
  }

  /// Writes some bytes at `offset` of the file, without moving its position.
  public func write(_ bytes: Span<UInt8>, at offset: Int) throws(Errno) -> Int {
    try Errno.check {
      // SAFETY: as above.
      unsafe bytes.withUnsafeBufferPointer { unsafe pwrite(descriptor, $0.baseAddress, $0.count, offset) }
    }
  }

  /// Writes all of `bytes`, however often it takes.
  public func writeAll(_ bytes: Span<UInt8>) throws(Errno) {
    var done = 0
    while done < bytes.count { done += try write(bytes.extracting(done..<bytes.count)) }
  }

  /// Waits until a write would be taken, for a pipe or terminal that was made non-blocking.
  public func waitUntilWritable(timeout milliseconds: Int32) {
    var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    // SAFETY: the call reads and writes one entry on the stack.
    unsafe poll(&entry, 1, milliseconds)
  }

  /// Reads what comes next.
  ///
  /// - Returns: how many bytes came; 0 at the end.
  public func read(into bytes: inout MutableSpan<UInt8>) throws(Errno) -> Int {
    try Errno.check {
      // SAFETY: the call writes at most `count` bytes into a span that is ours alone.
      unsafe bytes.withUnsafeMutableBufferPointer { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
    }
  }

  /// Reads from `offset`, without moving the file's position.
  public func read(into bytes: inout MutableSpan<UInt8>, at offset: Int) throws(Errno) -> Int {
    try Errno.check {
      // SAFETY: as above.
      unsafe bytes.withUnsafeMutableBufferPointer { unsafe pread(descriptor, $0.baseAddress, $0.count, offset) }
    }
  }

  /// Cuts the file, or lengthens it with zeroes.
  public func truncate(to size: Int) throws(Errno) {
    _ = try Errno.check { ftruncate(descriptor, size) }
  }

  /// Returns once the contents are on the disk.
  public func sync() throws(Errno) {
    _ = try Errno.check { fdatasync(descriptor) }
  }

  /// Marks the file as in use by this open file until it is closed; false when another one did.
  public func claim() -> Bool { flock(descriptor, LOCK_EX | LOCK_NB) == 0 }

  /// As `claim`, once nobody else has it; false where files cannot be claimed.
  public func awaitClaim() -> Bool {
    while flock(descriptor, LOCK_EX) != 0 {
      if errno != EINTR { return false }
    }
    return true
  }

  /// Waits until no other process holds the lock of this file or pipe, and holds it; false where there are no locks.
  public func lock() -> Bool { cl_lock_record(descriptor, 1) == 0 }

  public func unlock() { _ = cl_lock_record(descriptor, 0) }

  /// Whether `path` names this file now.
  public func isNamed(_ path: String) throws(Errno) -> Bool {
    let named: FileStatus
    do { named = try FileSystem.status(of: path) } catch .noEntry { return false }
    return named.isSameFile(as: try status())
  }

  public func status() throws(Errno) -> FileStatus {
    var raw = stat()
    // SAFETY: writes one stat on the stack.
    _ = try Errno.check { unsafe fstat(descriptor, &raw) }
    return FileStatus(raw)
  }
}

/// What the file system knows of a file.
public struct FileStatus: Equatable, Sendable {
  /// Bytes.
  public let size: Int
  /// When the contents last changed, nanoseconds since 1970.
  public let modified: Int
  public let isDirectory: Bool
  public let isSocket: Bool
  /// Names of the file; 0 once it is deleted and only open.
  public let links: Int
  /// Together the same for two names of one file.
  public let device: UInt, node: UInt

  fileprivate init(_ raw: stat) {
    size = raw.st_size
    modified = raw.st_mtim.tv_sec * 1_000_000_000 + raw.st_mtim.tv_nsec
    isDirectory = raw.st_mode & S_IFMT == S_IFDIR
    isSocket = raw.st_mode & S_IFMT == S_IFSOCK
    links = Int(raw.st_nlink)
    device = raw.st_dev
    node = raw.st_ino
  }

  public func isSameFile(as other: FileStatus) -> Bool { device == other.device && node == other.node }
}

/// What is done to files by name.
public enum FileSystem {
  public static func status(of path: String) throws(Errno) -> FileStatus {
    var raw = stat()
    // SAFETY: writes one stat on the stack; the path is copied by the kernel.
    _ = try Errno.check { unsafe stat(path, &raw) }
    return FileStatus(raw)
  }

  /// Moves a file within a file system; an existing one of the new name is replaced in the same instant.
  public static func rename(_ path: String, to new: String) throws(Errno) {
    // SAFETY: both paths are copied by the kernel.
    _ = try Errno.check { unsafe Glibc.rename(path, new) }
  }

  /// Moves a file to a name that no file has; fails with `EEXIST` when one does.
  ///
  /// A file system that cannot do both in one step only moves.
  public static func renameExclusively(_ path: String, to new: String) throws(Errno) {
    // SAFETY: both paths are copied by the kernel.
    let result = unsafe cl_rename_exclusive(path, new)
    if result == 0 { return }
    guard result == -EINVAL || result == -ENOSYS else { throw Errno(-result) }
    try rename(path, to: new)
  }

  public static func remove(_ path: String) throws(Errno) {
    // SAFETY: the path is copied by the kernel.
    _ = try Errno.check { unsafe unlink(path) }
  }

  /// Makes a directory and those above it; one that exists is no error.
  public static func makeDirectory(_ path: String, permissions: UInt32 = 0o750) throws(Errno) {
    do {
      // SAFETY: the path is copied by the kernel.
      _ = try Errno.check { unsafe mkdir(path, permissions) }
    } catch .exists {
      guard try status(of: path).isDirectory else { throw Errno(ENOTDIR) }
    } catch .noEntry {
      guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else { throw .noEntry }
      try makeDirectory(String(path[..<slash]), permissions: permissions)
      _ = try Errno.check { unsafe mkdir(path, permissions) }
    }
  }

  public static func removeDirectory(_ path: String) throws(Errno) {
    // SAFETY: the path is copied by the kernel.
    _ = try Errno.check { unsafe rmdir(path) }
  }

  /// The names in a directory, sorted, without `.` and `..`.
  public static func list(_ path: String) throws(Errno) -> [String] {
    // SAFETY: the stream is closed on every way out; each entry is copied before the next is read.
    guard let stream = unsafe opendir(path) else { throw .last }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// The path from the root, as seen from where the process stands; links in it stay.
  public static func absolute(_ path: String) -> String {
    if path.hasPrefix("/") { return path }
    // SAFETY: the kernel gives memory of its own, which is copied and freed here; null when the directory is gone.
    guard let here = unsafe getcwd(nil, 0) else { return path }
    defer { unsafe free(here) }
    let directory = unsafe String(cString: here)
    return (directory == "/" ? "" : directory) + "/" + (path.hasPrefix("./") ? String(path.dropFirst(2)) : path)
  }

  /// Returns once renames and removals in a directory are on the disk.
  public static func syncDirectory(_ path: String) throws(Errno) {
    // SAFETY: the path is copied by the kernel; the descriptor is closed here.
    let descriptor = try Errno.check { unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    defer { close(descriptor) }
    _ = try Errno.check { fsync(descriptor) }
  }
}

extension Errno {
  /// Runs a call that returns -1 and sets `errno` when it fails; again when a signal cut it short.
  fileprivate static func check<Number: SignedInteger>(_ call: () -> Number) throws(Errno) -> Number {
    while true {
      let result = call()
      if result >= 0 { return result }
      if errno != EINTR { throw .last }
    }
  }
}
