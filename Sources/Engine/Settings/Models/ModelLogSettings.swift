import Configuration
public import Detection

/// What the call log keeps of what was said; nothing, unless it is asked for.
public struct ModelLogSettings: Sendable, Equatable {
  public var prompts = false
  public var answers = false
  /// What is masked before it is written.
  public var mask = Detector.allCases
  /// Bytes of each of them.
  public var limit = 4096

  static let section = Section(
    "log", ModelLogSettings(), "What the call log keeps of what was said.",
    [
      Keyword("prompts", \.prompts, .boolean, "Whether it has what users said."),
      Keyword("answers", \.answers, .boolean, "Whether it has what models answered."),
      Keyword(
        "mask", \.mask, .list(of: .choice, minimum: 0), "Personal data that is masked first; unset: all that is known."),
      Keyword("limit", \.limit, .size(in: 1...(64 << 10)), "How much of each is kept."),
    ])

  /// A text as it is written: masked, and cut at the end of a character.
  func text(_ said: [UInt8]) -> String {
    let masked = MaskFilter(DetectorSet(mask)) { kind, _ in "[\(kind.rawValue)]" }.filter(said.span)
    var end = min(masked.count, limit)
    while end > 0, end < masked.count, masked[end] & 0xC0 == 0x80 { end -= 1 }
    return String(decoding: masked[..<end], as: UTF8.self)
  }
}
