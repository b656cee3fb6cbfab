package import Kernel

/// Where the call log goes, how much of it is kept, and how much memory it may take.
package struct CallLogOptions: Sendable, Equatable {
  package enum Destination: Sendable, Equatable {
    case standardOutput
    /// `current.ndjson` and older segments; made when it is missing.
    case directory(String)
  }

  package var destination: Destination
  package var limits: SegmentLimits
  /// Bytes that a worker fills before it hands them over; a line has a quarter of it at most.
  package var chunkSize: Int
  /// Chunks a worker adds to what may wait for the disk: with both defaults 1 MiB, some 2,500 lines.
  package var chunksPerQueue: Int

  package init(
    _ destination: Destination, limits: SegmentLimits = SegmentLimits(), chunkSize: Int = 128 << 10,
    chunksPerQueue: Int = 8
  ) {
    self.destination = destination
    self.limits = limits
    self.chunkSize = max(4 << 10, chunkSize)
    self.chunksPerQueue = max(2, chunksPerQueue)
  }
}

/// When a segment is closed, and when old ones go. Sizes in bytes, ages in nanoseconds.
package struct SegmentLimits: Sendable, Equatable {
  package var segmentSize: Int
  package var segmentAge: Int
  package var retainSize: Int
  package var retainAge: Int

  package init(
    segmentSize: Int = 64 << 20, segmentAge: Int = 3_600_000_000_000, retainSize: Int = 1 << 30,
    retainAge: Int = 7 * 86_400_000_000_000
  ) {
    self.segmentSize = segmentSize
    self.segmentAge = segmentAge
    self.retainSize = retainSize
    self.retainAge = retainAge
  }
}

/// What happened to the call log's files, for the process's own log.
package enum CallLogEvent: Sendable, Equatable {
  /// Lines are being dropped since the first of these; told once until `recovered`.
  case failing(operation: String, reason: String)
  /// Lines are written again.
  case recovered
  /// A half line, left by a crash, was cut from the current segment.
  case cutTornTail(bytes: Int)
  case rotated(segment: String)
  case compressed(segment: String, from: Int, to: Int)
  /// Retention took a segment away.
  case removed(segment: String)
  /// Compression or retention could not do its work; it is tried again with the next segment.
  case housekeepingFailed(segment: String, reason: String)
}

/// What the call log has done so far; once its queues are closed and it is stopped, produced = written + dropped.
package struct CallLogCounters: Sendable, Equatable {
  /// Lines.
  package var produced = 0, written = 0, dropped = 0
  /// Bytes that are in a file or left through standard output.
  package var bytes = 0
  /// Chunks that could not be written whole.
  package var errors = 0
  /// Segments.
  package var rotated = 0, compressed = 0, removed = 0
}

/// Why the call log cannot be written.
package struct CallLogFailure: Error, Equatable, Sendable {
  /// What was tried and on which path, such as `open /var/log/sluice/calls/current.ndjson`.
  package let operation: String
  package let errno: Errno
}
