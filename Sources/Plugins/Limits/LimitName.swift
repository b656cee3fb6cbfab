import Configuration

extension ValueType where Value == String {
  /// What a limit is called in metrics and in fields of the response, where it is a string of RFC 9651.
  static var limitName: ValueType {
    text("name", expectation: "a name in printable ASCII without quotes and backslashes", limit: 64).checked {
      name throws(ScalarMistake) in
      guard name.utf8.allSatisfy({ $0 < 0x7f && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) else {
        throw .malformed
      }
    }
  }
}
