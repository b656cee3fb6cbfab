import Kernel

/// Where the writer puts lines.
enum CallLogSink: ~Copyable {
  case stream(StreamOutput)
  case segments(SegmentWriter)

  /// Appends whole lines, after a rotation when it is due.
  mutating func append(
    _ lines: Span<UInt8>, count: Int, now: Int, report: (CallLogEvent) -> Void
  ) -> SegmentFile.Outcome {
    switch consume self {
    case .stream(var stream):
      let outcome = stream.append(lines, count: count)
      self = .stream(stream)
      return outcome
    case .segments(var segments):
      let outcome = segments.append(lines, count: count, now: now, report: report)
      self = .segments(segments)
      return outcome
    }
  }

  /// Runs `body` on the segments, when there are any.
  mutating func withSegments(_ body: (inout SegmentWriter) -> CallLogFailure?) -> CallLogFailure? {
    switch consume self {
    case .stream(let stream):
      self = .stream(stream)
      return nil
    case .segments(var segments):
      let failure = body(&segments)
      self = .segments(segments)
      return failure
    }
  }

  /// Nanoseconds until `rotateIfOld` has something to do; nil when nothing is waiting for it.
  func timeUntilRotation(now: Int) -> Int? {
    switch self {
    case .stream: nil
    case .segments(let segments): segments.timeUntilRotation(now: now)
    }
  }
}

/// Lines through standard output, for those who collect it.
struct StreamOutput: ~Copyable {
  private let file: File
  /// The last write stopped within a line.
  private var isMidLine = false

  init(_ file: consuming File) { self.file = file }

  /// Lines of a process that drains and of its successor come through the same pipe: each writes whole chunks.
  mutating func append(_ lines: Span<UInt8>, count: Int) -> SegmentFile.Outcome {
    _ = file.lock()
    defer { file.unlock() }
    var done = 0
    do throws(Errno) {
      if isMidLine { try writeAll([UInt8(ascii: "\n")].span) { _ in } }
      isMidLine = false
      try writeAll(lines) { done += $0 }
      return SegmentFile.Outcome(lines: count, bytes: done)
    } catch {
      let written = lines.extracting(0..<done)
      isMidLine = LineScan.endOfLastLine(in: written) < done
      return SegmentFile.Outcome(
        lines: LineScan.count(in: written), bytes: done,
        failure: CallLogFailure(operation: "write standard output", errno: error))
    }
  }

  private func writeAll(_ bytes: Span<UInt8>, _ progress: (Int) -> Void) throws(Errno) {
    var done = 0
    while done < bytes.count {
      do {
        let taken = try file.write(bytes.extracting(done..<bytes.count))
        done += taken
        progress(taken)
      } catch .again {
        file.waitUntilWritable(timeout: 1_000)
      }
    }
  }
}
