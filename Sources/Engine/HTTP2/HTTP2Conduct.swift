import Foreign

/// Judges a client by the frames that cost us much and it little.
///
/// Each kind has an allowance that grows with time up to a bound: what browsers and gRPC clients do stays far below,
/// and a flood is over it within a fraction of a second. Time is passed in.
struct HTTP2Conduct {
  enum Offence: Sendable {
    /// Streams opened and reset at once (CVE-2023-44487), or made to be reset by us (CVE-2025-8671).
    case resets
    /// PING, SETTINGS, PRIORITY, empty DATA, or window updates that nothing was sent for.
    case idleFrames
    /// Heads far longer than one may be: a few octets can name a large entry of the table thousands of times, and each
    /// of them must be read.
    case longHeads

    /// For metrics.
    var word: String {
      switch self {
      case .resets: "resets"
      case .idleFrames: "idle_frames"
      case .longHeads: "long_heads"
      }
    }
  }

  /// Units that are used up by events and grow again with time.
  private struct Allowance {
    let most: Int
    let perSecond: Int
    var left: Int
    /// Monotonic nanoseconds up to which it has grown.
    var grownUntil: Int

    init(_ most: Int, perSecond: Int, now: Int) {
      self.most = most
      self.perSecond = perSecond
      left = most
      grownUntil = now
    }

    mutating func grow(_ now: Int) {
      let units = (now - grownUntil) * perSecond / 1_000_000_000
      guard units > 0 else { return }
      left = min(most, left + units)
      grownUntil = now
    }
  }

  private var resets: Allowance
  private var idleFrames: Allowance
  private var excess: Allowance
  private var seen = HTTP2Tally()

  /// - Parameter resets: streams that may be cancelled at once; a tenth of them is granted anew each second.
  init(resets: Int, now: Int) {
    self.resets = Allowance(resets, perSecond: max(1, resets / 10), now: now)
    idleFrames = Allowance(Self.idleFrames, perSecond: Self.idleFrames / 10, now: now)
    excess = Allowance(Self.excess, perSecond: Self.excess / 10, now: now)
  }

  private static let idleFrames = 1000
  /// Octets of heads beyond what they may have.
  private static let excess = 1 << 20
  /// Window updates that one DATA frame of ours may be answered with: of stream and connection, in two steps.
  private static let updatesForData = 4

  /// - Parameter tally: all that the session has counted so far.
  mutating func judge(_ tally: HTTP2Tally, now: Int) -> Offence? {
    if tally == seen { return nil }
    resets.grow(now)
    idleFrames.grow(now)
    excess.grow(now)
    resets.left -= tally.resetsReceived - seen.resetsReceived + tally.resetsProvoked - seen.resetsProvoked
    let earned = (tally.dataSent - seen.dataSent) * Self.updatesForData
    let updates = tally.windowUpdates - seen.windowUpdates
    idleFrames.left -= tally.idle - seen.idle + updates
    idleFrames.left = min(idleFrames.most, idleFrames.left + earned)
    excess.left -= tally.excess - seen.excess
    seen = tally
    if resets.left < 0 { return .resets }
    if excess.left < 0 { return .longHeads }
    return idleFrames.left < 0 ? .idleFrames : nil
  }
}
