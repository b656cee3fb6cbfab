/// The parameters of a query, decoded.
struct AdminQuery {
  private let parameters: [(name: String, value: String)]

  init(_ query: String) {
    parameters = query.split(separator: "&").map { pair in
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return (Self.decoded(parts[0]), parts.count > 1 ? Self.decoded(parts[1]) : "")
    }
  }

  /// The first parameter with this name.
  func first(_ name: String) -> String? { parameters.first { $0.name == name }?.value }

  func all(_ name: String) -> [String] { parameters.filter { $0.name == name }.map(\.value) }

  /// A whole number, kept within a range; nil when it is none.
  func number(_ name: String, default value: Int, in range: ClosedRange<Int>) -> Int? {
    guard let text = first(name) else { return value }
    return Int(text).map { min(max($0, range.lowerBound), range.upperBound) }
  }

  /// Percent-encoding and `+` undone; what is no encoding stays.
  private static func decoded(_ text: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "+") {
        bytes.append(UInt8(ascii: " "))
      } else if byte == UInt8(ascii: "%"), let value = octet(rest.prefix(2)) {
        bytes.append(value)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// What two hexadecimal digits say; nil when they are none.
  private static func octet(_ digits: Substring.UTF8View) -> UInt8? {
    let values = digits.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
    return values.count == 2 ? UInt8(values[0] << 4 | values[1]) : nil
  }
}
