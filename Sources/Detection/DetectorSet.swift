import Kernel

/// Finds personal data of some kinds in text, whole or as it comes.
///
/// Time is bounded by the length of the text: at each place that can begin something, at most as many bytes are looked at as
/// the longest of its kind has.
public struct DetectorSet: Sendable {
  private let detectors: Set<Detector>

  public init(_ detectors: some Sequence<Detector>) { self.detectors = Set(detectors) }

  public var isEmpty: Bool { detectors.isEmpty }

  /// Appends what is recognised in a text, from the left and without overlaps.
  ///
  /// - Parameters:
  ///   - start: where to begin; what stands before it only tells whether a word begins there.
  ///   - isEnd: whether nothing follows the text. If something may, what ends at the text's end is not told.
  /// - Returns: how many bytes are settled: what begins behind them is to be shown again, with what follows and, so that
  ///   it is judged alike, with the byte before it.
  @discardableResult
  public func find(
    in text: Span<UInt8>, from start: Int = 0, isEnd: Bool = true, into found: inout [Detection]
  ) -> Int {
    let settled = isEnd ? text.count : max(start, text.count - pending(in: text))
    var index = start
    while index < settled {
      guard isStart(index, of: text), let detection = match(text, at: index) else {
        index += 1
        continue
      }
      if !isEnd, detection.range.upperBound > settled { return detection.range.lowerBound }
      found.append(detection)
      index = detection.range.upperBound
    }
    return max(settled, min(index, text.count))
  }

  /// How many bytes at the end could belong to something that goes on.
  private func pending(in text: Span<UInt8>) -> Int {
    var most = 0
    for detector in detectors {
      var count = 0
      while count < min(detector.longest, text.count),
        Recogniser.mayContain(text[text.count - 1 - count], detector)
      {
        count += 1
      }
      most = max(most, count)
    }
    return most
  }

  /// Nothing begins in the middle of a word or number.
  private func isStart(_ index: Int, of text: Span<UInt8>) -> Bool {
    let byte = text[index]
    if byte >= 0x80 || byte <= 0x20 { return false }
    if index == 0 { return true }
    return !Recogniser.isWord(text[index - 1]) || !Recogniser.isWord(byte)
  }

  private func match(_ text: Span<UInt8>, at start: Int) -> Detection? {
    for detector in Detector.precedence where detectors.contains(detector) {
      if let end = Recogniser.end(of: detector, in: text, from: start) {
        return Detection(detector: detector, range: start..<end)
      }
    }
    return nil
  }
}

extension Detector {
  /// What has check digits is told before what has none.
  static let precedence: [Detector] = [.email, .iban, .card, .ip, .phone]
}
