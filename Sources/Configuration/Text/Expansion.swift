/// Fills `${NAME}` and `${NAME:-default}` into a value; `$${` stands for `${` itself.
struct Expansion {
  struct Mistake: Equatable {
    var message: String
    var expected: String?
    /// The variable that is not set, if that is the mistake.
    var unset: String?
  }

  private let input: [UInt8]
  /// Whether the value is a secret, for which a default is no advice.
  private let isSecret: Bool
  private(set) var output: [UInt8] = []
  private(set) var usedEnvironment = false
  private(set) var usedDefault = false
  private(set) var mistakes: [Mistake] = []

  init(_ input: [UInt8], isSecret: Bool = false) {
    self.input = input
    self.isSecret = isSecret
    output.reserveCapacity(input.count)
  }

  mutating func run(environment: Environment) {
    var index = 0
    while index < input.count {
      let rest = input[index...]
      if rest.starts(with: Self.escape) {
        output += Self.opening
        index += Self.escape.count
      } else if rest.starts(with: Self.opening) {
        index = fill(from: index + Self.opening.count, environment)
      } else {
        output.append(input[index])
        index += 1
      }
    }
  }

  /// Replaces the placeholder whose name begins at `start`; returns the index behind it.
  private mutating func fill(from start: Int, _ environment: Environment) -> Int {
    guard let end = input[start...].firstIndex(of: UInt8(ascii: "}")) else {
      mistakes.append(
        Mistake(message: "`${` is never closed", expected: "`${NAME}`, or `$${` for the characters themselves"))
      return input.count
    }
    let nameEnd = input[start..<end].firstIndex { !Self.isNamePart($0) } ?? end
    let name = String(decoding: input[start..<nameEnd], as: UTF8.self)
    let rest = input[nameEnd..<end]
    guard nameEnd > start, !Self.isDigit(input[start]), rest.isEmpty || rest.starts(with: Self.separator) else {
      let shown = Printable(String(decoding: input[start..<end], as: UTF8.self))
      mistakes.append(
        Mistake(message: "`${\(shown)}` names no variable", expected: "`${NAME}` or `${NAME:-default}`"))
      return end + 1
    }
    if let value = environment.value(name), !value.isEmpty {
      output += Array(value.utf8)
      usedEnvironment = true
    } else if rest.isEmpty {
      mistakes.append(
        Mistake(
          message: "`\(name)` is not set in the environment",
          expected: isSecret ? "a value, or a file: `file:PATH`" : "a value, or a default: `${\(name):-default}`",
          unset: name))
    } else {
      output += rest.dropFirst(Self.separator.count)
      usedDefault = true
    }
    return end + 1
  }

  private static func isNamePart(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"): true
    default: isDigit(byte)
    }
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
  }

  private static let opening = Array("${".utf8)
  private static let escape = Array("$${".utf8)
  private static let separator = Array(":-".utf8)
}
