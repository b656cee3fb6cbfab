/// Why bytes are not the JSON that they claim to be, and where that shows.
public struct JSONError: Error, Equatable, Sendable {
  public enum Mistake: Sendable, Equatable {
    /// It ends before it is complete.
    case truncated
    /// This byte cannot stand here.
    case unexpectedByte
    /// A control character stands in a string, where it must be escaped.
    case controlCharacter
    case invalidEscape
    case invalidUTF8
    case invalidNumber
    case tooDeep
    /// Something follows the document.
    case trailingBytes
    /// A name that is read or edited stands twice in one object.
    case duplicateName
  }

  public let mistake: Mistake
  /// Of the byte at which it shows, from 0.
  public let offset: Int

  public init(_ mistake: Mistake, at offset: Int) {
    self.mistake = mistake
    self.offset = offset
  }

  /// For people.
  public var text: StaticString {
    switch mistake {
    case .truncated: "it ends too early"
    case .unexpectedByte: "this byte cannot stand here"
    case .controlCharacter: "a control character is not escaped"
    case .invalidEscape: "there is no such escape"
    case .invalidUTF8: "it is not UTF-8"
    case .invalidNumber: "this is no number"
    case .tooDeep: "it is nested too deeply"
    case .trailingBytes: "something follows the document"
    case .duplicateName: "this name stands twice in one object"
    }
  }
}
