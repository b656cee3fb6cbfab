import JSON
import Kernel

extension JSONWriter {
  /// A member whose value is JSON already.
  mutating func member(_ name: String, literal: String) {
    key(name)
    value(literal: literal.utf8Span.span)
  }

  /// The same if there is one.
  mutating func member(_ name: String, _ number: JSONNumber?) {
    if let number { member(name, literal: number.literal) }
  }

  mutating func member(_ name: String, ifPresent text: String?) {
    if let text { member(name, text) }
  }

  mutating func member(_ name: String, ifPresent number: Int?) {
    if let number { member(name, number) }
  }

  mutating func member(_ name: String, ifPresent flag: Bool?) {
    if let flag { member(name, flag) }
  }

  mutating func nullMember(_ name: String) {
    key(name)
    null()
  }
}
