import Kernel

/// The current segment and the moment to close it: by size, by age, or on request.
struct SegmentWriter: ~Copyable {
  private var file: SegmentFile
  private let limits: Lock<SegmentLimits>
  private let store: SegmentStore
  /// Rings the housekeeper: there is a segment to compress.
  private let rotated: @Sendable () -> Void
  private var rotationFailed = false

  init(directory: String, limits: Lock<SegmentLimits>, rotated: @Sendable @escaping () -> Void) {
    file = SegmentFile(directory: directory)
    store = SegmentStore(directory: directory)
    self.limits = limits
    self.rotated = rotated
  }

  /// Opens the current segment, and cuts a half line that a crash has left.
  mutating func prepare(now: Int, report: (CallLogEvent) -> Void) throws(CallLogFailure) {
    let cut = try file.prepare(now: now)
    if cut > 0 { report(.cutTornTail(bytes: cut)) }
  }

  /// Appends whole lines, after a rotation when they would make the segment too large or it is too old.
  ///
  /// A rotation that fails is told, and the lines go to the segment that is open: better too large than lost.
  mutating func append(
    _ lines: Span<UInt8>, count: Int, now: Int, report: (CallLogEvent) -> Void
  ) -> SegmentFile.Outcome {
    do {
      try prepare(now: now, report: report)
      var failure = rotateIfOld(now: now, report: report)
      if file.size > 0, file.size + lines.count > limits.withLock({ $0.segmentSize }) {
        failure = rotate(now: now, report: report)
      }
      if !file.isOpen { try prepare(now: now, report: report) }
      var outcome = file.append(lines, count: count, now: now)
      outcome.failure = outcome.failure ?? failure
      return outcome
    } catch {
      return SegmentFile.Outcome(failure: error)
    }
  }

  /// Closes the current segment and gives it its number; an empty one stays.
  mutating func rotate(now: Int, report: (CallLogEvent) -> Void) -> CallLogFailure? {
    guard file.size > 0 else { return nil }
    do {
      let name = try rename(now: now)
      rotationFailed = false
      report(.rotated(segment: name.text))
      rotated()
      return nil
    } catch {
      rotationFailed = true
      return error
    }
  }

  mutating func rotateIfOld(now: Int, report: (CallLogEvent) -> Void) -> CallLogFailure? {
    guard file.size > 0, now - file.startedAt >= limits.withLock({ $0.segmentAge }) else { return nil }
    return rotate(now: now, report: report)
  }

  mutating func reopen() { file.close() }

  /// Leaves `current.ndjson` to a successor and goes on under a name of its own.
  mutating func setAside() { file.setAside(as: SegmentName.aside(process: ProcessSignal.ownProcess)) }

  /// There is no successor after all.
  mutating func resume(now: Int, report: (CallLogEvent) -> Void) -> CallLogFailure? {
    if file.resume() { return nil }
    let failure = rotate(now: now, report: report)
    file.useCurrent()
    return failure
  }

  /// Gives what has a name of its own one among the older segments; the last thing that is done.
  mutating func finish(now: Int, report: (CallLogEvent) -> Void) -> CallLogFailure? {
    guard file.isAside else { return nil }
    file.removeEmpty()
    return rotate(now: now, report: report)
  }

  func timeUntilRotation(now: Int) -> Int? {
    guard file.size > 0 else { return nil }
    let age = limits.withLock { $0.segmentAge }
    // A second between tries keeps a rename that fails from being a busy loop.
    return max(rotationFailed ? 1_000_000_000 : 0, min(age, file.startedAt + age - now))
  }

  /// Another process may number segments of the directory at the same moment: then the next number is ours.
  private mutating func rename(now: Int) throws(CallLogFailure) -> SegmentName {
    let first = try nextNumber()
    for number in first..<first + 100 {
      let name = SegmentName(rotatedAt: now, number: number)
      do throws(CallLogFailure) {
        try file.rotate(to: name)
        return name
      } catch {
        if error.errno != .exists { throw error }
      }
    }
    throw CallLogFailure(operation: "number a segment in \(store.directory)", errno: .exists)
  }

  private func nextNumber() throws(CallLogFailure) -> Int {
    do {
      return try store.nextNumber()
    } catch {
      throw CallLogFailure(operation: "list \(store.directory)", errno: error)
    }
  }
}
