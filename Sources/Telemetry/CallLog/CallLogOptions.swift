public import Kernel

/// Where the call log goes, how much of it is kept, and how much memory it may take.
public struct CallLogOptions: Sendable, Equatable {
  public enum Destination: Sendable, Equatable {
    case standardOutput
    /// `current.ndjson` and older segments; made when it is missing.
    case directory(String)
  }

  public var destination: Destination
  public var limits: SegmentLimits
  /// Bytes that a worker fills before it hands them over; a line has a quarter of it at most.
  public var chunkSize: Int
  /// Chunks a worker adds to what may wait for the disk: with both defaults 8 MiB, some 12,000 lines, made when the
  /// disk is late and given back when it has caught up.
  public var chunksPerQueue: Int

  public init(
    _ destination: Destination, limits: SegmentLimits = SegmentLimits(), chunkSize: Int = 128 << 10,
    chunksPerQueue: Int = 64
  ) {
    self.destination = destination
    self.limits = limits
    self.chunkSize = max(4 << 10, chunkSize)
    self.chunksPerQueue = max(2, chunksPerQueue)
  }
}

/// When a segment is closed, and when old ones go. Sizes in bytes, ages in nanoseconds.
public struct SegmentLimits: Sendable, Equatable {
  public var segmentSize: Int
  public var segmentAge: Int
  public var retainSize: Int
  public var retainAge: Int

  public init(
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
public enum CallLogEvent: Sendable, Equatable {
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
public struct CallLogCounters: Sendable, Equatable {
  /// Lines.
  public var produced = 0, written = 0, dropped = 0
  /// Bytes that are in a file or left through standard output.
  public var bytes = 0
  /// Chunks that could not be written whole.
  public var errors = 0
  /// Segments.
  public var rotated = 0, compressed = 0, removed = 0
}

/// Why the call log cannot be written.
public struct CallLogFailure: Error, Equatable, Sendable {
  /// What was tried and on which path, such as `open /var/log/sluice/calls/current.ndjson`.
  public let operation: String
  public let errno: Errno
}
