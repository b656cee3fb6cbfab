import Kernel

/// A file system of a few kilobytes, for what happens when a disk is full.
package final class SmallDisk {
  private let directory: TemporaryDirectory
  package var path: String { directory.path }

  package static let isPossible: Bool = {
    guard let probe = try? SmallDisk(kilobytes: 16) else { return false }
    return (try? FileSystem.list(probe.path)) != nil
  }()

  package struct Impossible: Error {}

  package init(kilobytes: Int) throws {
    directory = try TemporaryDirectory()
    guard Shell.run("mount -t tmpfs -o size=\(kilobytes)k tmpfs \(directory.path) 2>/dev/null") == 0 else {
      throw Impossible()
    }
  }

  deinit { Shell.run("umount -l \(directory.path) 2>/dev/null") }
}
