import Foreign
import Kernel

/// The older segments in a directory: compresses them and takes the oldest away.
///
/// Every pass looks at the directory afresh, so whatever an interrupted run left is finished by the next one:
///
/// | found | meaning | done |
/// |---|---|---|
/// | `….lz4.partial` | compression was interrupted | removed |
/// | `….ndjson` and `….ndjson.lz4` | all but the last step of it was done | `….ndjson` removed |
/// | `….ndjson` | rotated, not compressed | compressed |
/// | `draining-….ndjson` that nobody claims | its process was killed while it drained | cut to whole lines, named |
struct SegmentStore: Sendable {
  let directory: String

  /// The number for the next segment.
  func nextNumber() throws(Errno) -> Int {
    (try segments().map(\.number).max() ?? 0) + 1
  }

  /// One pass: finishes what was interrupted, compresses what is plain, applies retention.
  ///
  /// - Parameter shouldStop: asked between blocks of a long compression.
  func tidy(
    now: Int, limits: SegmentLimits, report: (CallLogEvent) -> Void, shouldStop: () -> Bool = { false }
  ) {
    do {
      try adoptAbandoned(report: report)
      try removeLeftovers(report: report)
      try retain(now: now, limits: limits, report: report)
      var failed: Set<SegmentName> = []
      while !shouldStop(), let next = try segments().first(where: { $0.form == .plain && !failed.contains($0) }) {
        if !compress(next, report: report, shouldStop: shouldStop) { failed.insert(next) }
        try retain(now: now, limits: limits, report: report)
      }
    } catch {
      report(.housekeepingFailed(segment: directory, reason: error.description))
    }
  }

  /// Gives segments of killed processes their place among the others.
  private func adoptAbandoned(report: (CallLogEvent) -> Void) throws(Errno) {
    let names: [String]
    do { names = try FileSystem.list(directory) } catch .noEntry { return }
    for name in names where SegmentName.isAside(name) {
      let path = directory + "/" + name
      do {
        let file = try File(path, .edit)
        // Its process may have given it its place, and begun a new one, since the directory was read.
        guard file.claim(), try file.isNamed(path) else { continue }
        let status = try file.status()
        let end = try SegmentFile.endOfLastLine(in: file, length: status.size)
        if end < status.size { report(.cutTornTail(bytes: status.size - end)) }
        if end == 0 {
          try FileSystem.remove(path)
          continue
        }
        try file.truncate(to: end)
        let segment = SegmentName(rotatedAt: status.modified, number: try nextNumber())
        try FileSystem.renameExclusively(path, to: self.path(segment))
        report(.rotated(segment: segment.text))
      } catch .noEntry {
        // Its process has named it meanwhile.
      } catch {
        report(.housekeepingFailed(segment: name, reason: error.description))
      }
    }
  }

  private func removeLeftovers(report: (CallLogEvent) -> Void) throws(Errno) {
    let found = try segments()
    let finished = Set(found.filter { $0.form == .compressed })
    for segment in found {
      let isDone = segment.form == .plain && finished.contains(segment.with(.compressed))
      if isDone || segment.form == .unfinished { remove(segment, report: report) }
    }
  }

  @discardableResult
  private func remove(_ segment: SegmentName, report: (CallLogEvent) -> Void) -> Bool {
    do {
      try FileSystem.remove(path(segment))
      return true
    } catch {
      report(.housekeepingFailed(segment: segment.text, reason: error.description))
      return false
    }
  }

  private func path(_ segment: SegmentName) -> String { directory + "/" + segment.text }

  /// Ours, oldest first.
  private func segments() throws(Errno) -> [SegmentName] {
    do {
      return try FileSystem.list(directory).compactMap { SegmentName($0) }.sorted { $0.number < $1.number }
    } catch .noEntry {
      return []
    }
  }

  /// - Returns: whether the segment is compressed now; it is not after a failure or a stop.
  private func compress(
    _ segment: SegmentName, report: (CallLogEvent) -> Void, shouldStop: () -> Bool
  ) -> Bool {
    let partial = path(segment.with(.unfinished))
    do {
      guard let sizes = try writeFrame(from: path(segment), to: partial, shouldStop: shouldStop) else {
        try? FileSystem.remove(partial)
        return false
      }
      try FileSystem.rename(partial, to: path(segment.with(.compressed)))
      try FileSystem.syncDirectory(directory)
      try FileSystem.remove(path(segment))
      report(.compressed(segment: segment.with(.compressed).text, from: sizes.plain, to: sizes.compressed))
      return true
    } catch {
      try? FileSystem.remove(partial)
      let reason = (error as? Errno)?.description ?? (error as? LZ4Compressor.Failure)?.reason ?? "unknown"
      report(.housekeepingFailed(segment: segment.text, reason: reason))
      return false
    }
  }

  /// - Returns: nil when it was told to stop.
  private func writeFrame(
    from source: String, to target: String, shouldStop: () -> Bool
  ) throws -> (plain: Int, compressed: Int)? {
    let input = try File(source, .read)
    let output = try File(target, .replace)
    var compressor = try LZ4Compressor()
    var block = [UInt8](repeating: 0, count: compressor.blockSize)
    var sizes = (plain: 0, compressed: 0)
    func write(_ bytes: Span<UInt8>) throws(Errno) {
      sizes.compressed += bytes.count
      try output.writeAll(bytes)
    }
    try write(compressor.begin())
    while true {
      if shouldStop() { return nil }
      var space = block.mutableSpan
      let count = try input.read(into: &space)
      if count == 0 { break }
      sizes.plain += count
      try write(compressor.update(block.span.extracting(0..<count)))
    }
    try write(compressor.end())
    try output.sync()
    return sizes
  }

  private func retain(now: Int, limits: SegmentLimits, report: (CallLogEvent) -> Void) throws(Errno) {
    let kept = try segments().filter { $0.form != .unfinished }
    let sizes = kept.map { (try? FileSystem.status(of: path($0)).size) ?? 0 }
    var total = sizes.reduce(0, +)
    total += (try? FileSystem.status(of: directory + "/" + SegmentName.current).size) ?? 0
    for (segment, size) in zip(kept, sizes) {
      let isOld = segment.rotatedAt.map { now - $0 > limits.retainAge } ?? false
      guard isOld || total > limits.retainSize else { continue }
      if !remove(segment, report: report) { continue }
      total -= size
      report(.removed(segment: segment.text))
    }
  }
}
