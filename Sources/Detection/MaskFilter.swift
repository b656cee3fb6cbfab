import Kernel

/// Puts something else in the place of personal data, in a text that may come in pieces.
///
/// It holds back only what could still belong to something: at most as many bytes as the longest of its kind has.
public final class MaskFilter: TextFilter {
  private let detectors: DetectorSet
  private let replace: (_ found: Detector, _ text: String) -> String
  /// What is not settled yet, behind the last byte that is.
  private var held: [UInt8] = []
  private var start = 0
  private var found: [Detection] = []

  public var broken: BrokenRule? { nil }

  /// - Parameter replace: what takes the place of what was found.
  public init(_ detectors: DetectorSet, _ replace: @escaping (Detector, String) -> String) {
    self.detectors = detectors
    self.replace = replace
  }

  public func take(_ piece: Span<UInt8>, isEnd: Bool, into out: inout [UInt8]) {
    for index in piece.indices { held.append(piece[index]) }
    if held.isEmpty { return }
    found.removeAll(keepingCapacity: true)
    let text = held
    let settled = detectors.find(in: text.span, from: start, isEnd: isEnd, into: &found)
    var done = start
    for detection in found {
      out += held[done..<detection.range.lowerBound]
      out += Array(replace(detection.detector, String(decoding: held[detection.range], as: UTF8.self)).utf8)
      done = detection.range.upperBound
    }
    let end = Self.boundary(before: max(settled, done), in: held)
    if end > done { out += held[done..<end] }
    // The byte before tells whether what follows begins a word.
    let kept = max(0, max(end, done) - 1)
    start = max(end, done) - kept
    held.removeFirst(kept)
  }

  /// Where the character begins that a place is in the middle of: texts are let go in whole characters.
  private static func boundary(before place: Int, in text: [UInt8]) -> Int {
    var place = place
    while place > 0, place < text.count, text[place] & 0xC0 == 0x80 { place -= 1 }
    return place
  }
}
