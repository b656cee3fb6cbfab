public import Configuration

/// Where the record of every call goes, and what of the call it holds.
public struct CallLogSettings: Sendable, Equatable {
  public enum Destination: Sendable, Equatable {
    case off
    case stdout
    /// `current.ndjson` is written there; older segments are compressed.
    case directory(String)
  }

  /// What of a query is written: `redacted` keeps names and hides values.
  public enum Query: String, Sendable, CaseIterable { case redacted, names, full }

  public var destination: Destination
  /// A segment is closed when it has this many bytes…
  public var segmentSize: Int
  /// …or is this old.
  public var segmentAge: Nanoseconds
  /// Closed segments are deleted, oldest first, when they have more bytes than this together…
  public var retainSize: Int
  /// …or are older than this.
  public var retainAge: Nanoseconds
  /// Names of request fields to write, in lower case.
  public var requestHeaders: [String]
  /// Names of response fields to write, in lower case.
  public var responseHeaders: [String]
  public var query: Query
  /// Whether what each plugin decided is written, and how long it took.
  public var decisions: Bool

  public init(
    destination: Destination = .off,
    segmentSize: Int = 64 << 20,
    segmentAge: Nanoseconds = .hours(1),
    retainSize: Int = 1 << 30,
    retainAge: Nanoseconds = .days(7),
    requestHeaders: [String] = [],
    responseHeaders: [String] = [],
    query: Query = .redacted,
    decisions: Bool = false
  ) {
    self.destination = destination
    self.segmentSize = segmentSize
    self.segmentAge = segmentAge
    self.retainSize = retainSize
    self.retainAge = retainAge
    self.requestHeaders = requestHeaders
    self.responseHeaders = responseHeaders
    self.query = query
    self.decisions = decisions
  }
}
