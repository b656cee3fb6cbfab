/// What an HTTP/2 peer has done, in the order in which it did it.
///
/// A slot is a small number that stands for a stream from its first event until `closed` was taken and the slot was
/// released, so that streams are found by index.
public enum HTTP2Event: Sendable {
  /// A head is complete, or a trailer section: the lines of `received` in this range.
  ///
  /// - isNew: it opens the stream.
  /// - isTruncated: the list was longer than allowed, and its end is missing.
  case head(slot: Int, lines: Range<Int>, isNew: Bool, isTruncated: Bool, isEnd: Bool)
  /// The head of a request was none (RFC 9113 §8.1.1); its stream is over.
  case refused
  /// Content: the octets in this range of what was fed last.
  case data(slot: Int, octets: Range<Int>)
  /// Nothing more comes from the peer on this stream.
  case end(slot: Int)
  /// The stream can take octets again after `offer` took less than it was shown.
  case writable(slot: Int)
  /// The stream is over; `code` is of RFC 9113 §7, 0 for a regular end.
  case closed(slot: Int, code: UInt32)
  /// The peer takes no stream above `last`.
  case goAway(last: Int32, code: UInt32)
  case pong
  /// The peer has said what it holds this side to; the first time, that it speaks HTTP/2.
  case settings
}

/// Frames counted by what they are good for: who sends many of those that carry nothing is up to no good.
public struct HTTP2Tally: Sendable, Equatable {
  /// PING, SETTINGS, PRIORITY, frames of unknown types, DATA without octets that end nothing, heads of streams that are
  /// over, and DATA of ours that a tiny window cut short.
  public var idle = 0
  public var windowUpdates = 0
  public var resetsReceived = 0
  /// RST_STREAM that was sent because of what the peer did.
  public var resetsProvoked = 0
  /// DATA frames sent, tiny ones aside.
  public var dataSent = 0
  /// Octets of heads behind where they were too long, which still had to be read for the table's sake; each such head
  /// counts as ten kibibytes more. Those of heads of streams that are over, sixteenfold.
  public var excess = 0

  public init() {}

  mutating func add(_ other: HTTP2Tally) {
    idle += other.idle
    windowUpdates += other.windowUpdates
    resetsReceived += other.resetsReceived
    excess += other.excess
  }

  /// A frame of ours, soon sent, that is worth no window update.
  mutating func countTinyFrame() {
    idle += 1
    dataSent -= 1
  }
}

/// Why a session cannot go on.
public struct HTTP2Failure: Error, CustomStringConvertible {
  public let description: String
}

/// What an endpoint tells its peer when a session begins, and what it holds it to.
public struct HTTP2Options: Sendable {
  /// Streams that the peer may have open.
  public var streams: Int
  /// Octets of one stream that may be on their way unread.
  public var streamWindow: Int
  /// Octets of all streams together.
  public var connectionWindow: Int
  /// Octets of names and values of one head, with four for each line.
  public var headSize: Int

  public init(
    streams: Int = 128, streamWindow: Int = 256 << 10, connectionWindow: Int = 1 << 20, headSize: Int = 16 << 10
  ) {
    self.streams = streams
    self.streamWindow = streamWindow
    self.connectionWindow = connectionWindow
    self.headSize = headSize
  }
}

/// How the octets that are offered stand to the end of a message.
public enum HTTP2BodyEnd: Sendable {
  case open
  /// The message ends with them.
  case message
  /// The content ends with them, trailers follow.
  case content
}
