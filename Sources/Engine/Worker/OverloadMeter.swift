/// Decides which requests a worker refuses while it cannot keep up.
///
/// The signal is how long requests wait for the worker, as with CoDel (RFC 8289): not the worst, but the least delay of
/// all turns of the loop in an interval, since a queue that empties once in a while is only a burst. A turn serves what
/// was ready when it began, so what is served late in it has waited that long. The delay is read off the clock that every
/// exchange reads at its end anyway: while nothing is shed, a request costs a comparison.
///
/// While the least delay is above what is borne, the pressure rises with each interval, faster the longer the queue is;
/// below half of it, it falls. From 0 to 1 it is the share of background requests that is refused, from 1 to 2 that of
/// normal ones with all of background, and up to 3 that of critical ones.
struct OverloadMeter {
  private let settings: OverloadSettings
  /// When the turn at hand began, and when the last exchange in it ended.
  private var turn = Int.min
  private var lastEnded = 0
  /// How long the exchange that was served last in this turn had waited.
  private var turnDelay = 0
  /// The least of the turns of this interval; nil when there was none.
  private var leastDelay: Int?
  private var intervalBegan = Int.min
  /// 0 to 3.
  private(set) var pressure = 0.0
  /// How much of a refusal each priority has saved up, so that a share is taken evenly.
  private var credit = [0.0, 0.0, 0.0]

  private static let rise = 0.1
  private static let steepest = 4.0
  private static let fall = 0.1

  init(_ settings: OverloadSettings) { self.settings = settings }

  var isShedding: Bool { pressure > 0 }

  /// An exchange has ended.
  ///
  /// - Parameters:
  ///   - ended: monotonic nanoseconds.
  ///   - began: when the turn's events were gathered.
  @inline(__always)
  mutating func observe(ended: Int, turn began: Int) {
    if began == turn {
      turnDelay = lastEnded - began
    } else {
      endTurn(at: began)
    }
    lastEnded = ended
  }

  @inline(never)
  private mutating func endTurn(at now: Int) {
    if turn != .min { leastDelay = min(leastDelay ?? .max, turnDelay) }
    turn = now
    turnDelay = 0
    advance(to: now)
  }

  /// Ends the interval if it is over.
  private mutating func advance(to now: Int) {
    if intervalBegan == .min { intervalBegan = now }
    guard now - intervalBegan >= settings.interval else { return }
    intervalBegan = now
    let delay = leastDelay ?? 0
    leastDelay = nil
    guard settings.isOn else { return }
    // A worker that has finished nothing for several intervals has no queue.
    let rested = (now - lastEnded) / settings.interval
    if delay > settings.queueDelay, rested == 0 {
      pressure = min(3, pressure + Self.rise * min(Self.steepest, Double(delay) / Double(settings.queueDelay)))
    } else if delay < settings.queueDelay / 2 || rested > 0 {
      pressure = max(0, pressure - Self.fall * Double(max(1, rested)))
      if pressure < 0.001 { pressure = 0 }
    }
  }

  /// Whether a request is refused now.
  mutating func sheds(_ priority: Priority, now: Int) -> Bool {
    advance(to: now)
    let place = priority.place
    let share = min(1, max(0, pressure - Double(place)))
    if share == 0 { return false }
    credit[place] += share
    // A sum of shares may miss the whole by a rounding.
    guard credit[place] > 0.999_999 else { return false }
    credit[place] -= 1
    return true
  }
}

extension Priority {
  /// In the order in which they are refused.
  fileprivate var place: Int {
    switch self {
    case .background: 0
    case .normal: 1
    case .critical: 2
    }
  }
}
