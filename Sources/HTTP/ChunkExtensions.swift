import Kernel

/// The grammar of what may stand between a chunk's size and its CRLF (RFC 9112 §7.1.1), a byte at a time.
///
/// The extensions themselves are dropped: nothing that Sluice speaks to has a meaning for them.
struct ChunkExtensions {
  private enum State {
    case beforeName, name, afterName, beforeValue, token, quoted, escaped, afterValue
  }

  private var state = State.beforeName

  /// Takes a byte behind the first `;`; false when it may not stand there.
  mutating func take(_ byte: UInt8) -> Bool {
    switch state {
    case .beforeName, .beforeValue: takeFirst(byte)
    case .name, .token: HeaderBlock.isTokenByte(byte) || takeEnd(byte)
    case .afterName, .afterValue: takeEnd(byte)
    case .quoted: takeQuoted(byte)
    case .escaped: takeEscaped(byte)
    }
  }

  /// Whether the line may end here.
  var isComplete: Bool {
    switch state {
    case .name, .token, .afterName, .afterValue: true
    case .beforeName, .beforeValue, .quoted, .escaped: false
    }
  }

  private mutating func takeFirst(_ byte: UInt8) -> Bool {
    if HeaderBlock.isSpace(byte) { return true }
    if byte == UInt8(ascii: "\""), state == .beforeValue {
      state = .quoted
      return true
    }
    state = state == .beforeName ? .name : .token
    return HeaderBlock.isTokenByte(byte)
  }

  /// What may follow a name or value: white space, the next extension, and behind a name its value.
  private mutating func takeEnd(_ byte: UInt8) -> Bool {
    let isName = state == .name || state == .afterName
    if HeaderBlock.isSpace(byte) {
      state = isName ? .afterName : .afterValue
    } else if byte == UInt8(ascii: ";") {
      state = .beforeName
    } else if byte == UInt8(ascii: "="), isName {
      state = .beforeValue
    } else {
      return false
    }
    return true
  }

  private mutating func takeQuoted(_ byte: UInt8) -> Bool {
    if byte == UInt8(ascii: "\"") { state = .afterValue }
    if byte == UInt8(ascii: "\\") { state = .escaped }
    return Self.isText(byte)
  }

  private mutating func takeEscaped(_ byte: UInt8) -> Bool {
    state = .quoted
    return Self.isText(byte)
  }

  private static func isText(_ byte: UInt8) -> Bool { (byte >= 0x20 && byte != 0x7f) || byte == 0x09 }
}
