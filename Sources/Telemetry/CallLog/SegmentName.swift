import Kernel

/// The name of a segment: `calls-20261122T204953Z-000042.ndjson`, with `.lz4` once it is compressed.
///
/// The moment is that of rotation: every line within is older. The number grows by one with each segment and tells
/// their order, whatever the clock does.
struct SegmentName: Hashable, Sendable {
  enum Form: Hashable, Sendable { case plain, compressed, unfinished }

  static let current = "current.ndjson"
  private static let aside = "draining-"
  private static let suffix = ".ndjson"

  let stamp: String
  let number: Int
  let form: Form

  init(rotatedAt moment: Int, number: Int) {
    var text = ByteBuffer(capacity: 32)
    Timestamp.append(secondOf: moment, to: &text)
    stamp = String(copying: text).filter { $0 != "-" && $0 != ":" } + "Z"
    self.number = number
    form = .plain
  }

  /// What a process that leaves `current` to its successor writes to until it ends.
  static func aside(process: Int32) -> String { "\(aside)\(process)\(suffix)" }

  static func isAside(_ name: String) -> Bool { name.hasPrefix(aside) && name.hasSuffix(suffix) }

  /// Reads a name of a directory; nil when it is none of ours.
  init?(_ name: String) {
    guard name.hasPrefix("calls-"), let suffix = name.firstRange(of: SegmentName.suffix) else { return nil }
    switch name[suffix.upperBound...] {
    case "": form = .plain
    case ".lz4": form = .compressed
    case ".lz4.partial": form = .unfinished
    default: return nil
    }
    let parts = name[..<suffix.lowerBound].split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 3, let number = Int(parts[2]), number >= 0 else { return nil }
    stamp = String(parts[1])
    self.number = number
    guard rotatedAt != nil else { return nil }
  }

  private init(stamp: String, number: Int, form: Form) {
    (self.stamp, self.number, self.form) = (stamp, number, form)
  }

  func with(_ form: Form) -> SegmentName { SegmentName(stamp: stamp, number: number, form: form) }

  var text: String {
    let digits = String(number)
    let padding = String(repeating: "0", count: max(0, 6 - digits.utf8.count))
    let base = "calls-\(stamp)-\(padding)\(digits)\(SegmentName.suffix)"
    return switch form {
    case .plain: base
    case .compressed: base + ".lz4"
    case .unfinished: base + ".lz4.partial"
    }
  }

  /// Nanoseconds since 1970; nil when the stamp is no moment.
  var rotatedAt: Int? {
    let digits = Array(stamp.utf8)
    guard digits.count == 16 else { return nil }
    // 20261122T204953Z is 2026-11-22T20:49:53Z without its marks.
    var full: [UInt8] = []
    for (index, byte) in digits.enumerated() {
      if index == 4 || index == 6 { full.append(UInt8(ascii: "-")) }
      if index == 11 || index == 13 { full.append(UInt8(ascii: ":")) }
      full.append(byte)
    }
    return Timestamp.parse(full.span)
  }
}

extension String {
  /// The bytes of a buffer, repaired where they are not UTF-8.
  init(copying buffer: borrowing ByteBuffer) {
    let span = buffer.span
    self = String(decoding: Array(copying: span), as: UTF8.self)
  }
}
