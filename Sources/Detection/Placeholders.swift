import Kernel

/// What stands for personal data while a model works with a text: `[EMAIL_1]`, the same for the same value.
///
/// Each call has its own, so nobody gets the value of another. Numbers that the texts themselves already have in such a
/// place are passed over: what a client wrote is not what was put there.
public final class Placeholders {
  private var values: [String: String] = [:]
  private var names: [String: String] = [:]
  private var last: [Detector: Int] = [:]
  private var taken: Set<String> = []

  public init() {}

  public var isEmpty: Bool { values.isEmpty }

  /// Leaves alone what looks like a placeholder in a text that is about to be masked.
  public func avoid(_ text: String) {
    let bytes = Array(text.utf8)
    var index = 0
    while let start = bytes[index...].firstIndex(of: UInt8(ascii: "[")) {
      index = start + 1
      if case .whole(let end) = Self.match(bytes, at: start) {
        taken.insert(String(decoding: bytes[start..<end], as: UTF8.self))
      }
    }
  }

  /// What stands for a value.
  public func name(of value: String, _ detector: Detector) -> String {
    if let name = names[value] { return name }
    var number = last[detector] ?? 0
    var name: String
    repeat {
      number += 1
      name = "[\(detector.rawValue.uppercased())_\(number)]"
    } while taken.contains(name)
    last[detector] = number
    names[value] = name
    values[name] = value
    return name
  }

  /// The value that a placeholder of this call stands for.
  public func value(of name: String) -> String? { values[name] }

  enum Match: Equatable {
    case none
    /// The text ends within what may be one.
    case partial
    /// Where it ends.
    case whole(Int)
  }

  /// The longest: seven letters are more than any kind has, and nobody has a hundred million values.
  static let longest = 20

  /// Whether a placeholder begins at a bracket.
  static func match(_ text: [UInt8], at start: Int) -> Match {
    var index = start + 1
    while index < text.count, text[index] &- 0x41 < 26 { index += 1 }
    let hasKind = index > start + 1
    if index == text.count { return index - start > longest ? .none : .partial }
    guard hasKind, text[index] == UInt8(ascii: "_") else { return .none }
    index += 1
    let digits = index
    while index < text.count, text[index] &- 0x30 < 10 { index += 1 }
    if index - start > longest { return .none }
    if index == text.count { return .partial }
    guard index > digits, text[index] == UInt8(ascii: "]") else { return .none }
    return .whole(index + 1)
  }
}

/// Puts the values back for which placeholders stand, in a text that may come in pieces.
public final class RestoreFilter: TextFilter {
  private let placeholders: Placeholders
  private var held: [UInt8] = []

  public var broken: BrokenRule? { nil }

  public init(_ placeholders: Placeholders) { self.placeholders = placeholders }

  public func take(_ piece: Span<UInt8>, isEnd: Bool, into out: inout [UInt8]) {
    for index in piece.indices { held.append(piece[index]) }
    var done = 0
    var index = 0
    while let start = held[index...].firstIndex(of: UInt8(ascii: "[")) {
      index = start + 1
      switch Placeholders.match(held, at: start) {
      case .none: continue
      case .partial:
        if isEnd { continue }
        out += held[done..<start]
        held.removeFirst(start)
        return
      case .whole(let end):
        guard let value = placeholders.value(of: String(decoding: held[start..<end], as: UTF8.self)) else { continue }
        out += held[done..<start]
        out += Array(value.utf8)
        done = end
        index = end
      }
    }
    out += held[done...]
    held.removeAll(keepingCapacity: true)
  }
}
