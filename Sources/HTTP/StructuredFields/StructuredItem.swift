public import Kernel

/// A value of a structured field (RFC 9651 §3.3), which has one text only.
public enum StructuredItem: Sendable, Equatable {
  case integer(Int)
  /// In thousandths.
  case decimal(Int)
  case string(String)
  case token(String)
  case bytes([UInt8])
  case boolean(Bool)
  /// Seconds since 1970.
  case date(Int)

  /// Appends the text (RFC 9651 §4.1.3).
  public func append(to out: inout ByteBuffer) {
    switch self {
    case .integer(let number): out.append(decimal: number)
    case .decimal(let thousandths): Self.append(thousandths, to: &out)
    case .string(let text): Self.append(text, to: &out)
    case .token(let text): out.append(text)
    case .bytes(let bytes):
      out.append(":")
      Base64.append(bytes.span, to: &out)
      out.append(":")
    case .boolean(let value): out.append(value ? "?1" : "?0")
    case .date(let seconds):
      out.append("@")
      out.append(decimal: seconds)
    }
  }

  private static func append(_ thousandths: Int, to out: inout ByteBuffer) {
    if thousandths < 0 { out.append("-") }
    let magnitude = abs(thousandths)
    out.append(decimal: magnitude / 1000)
    out.append(".")
    var rest = magnitude % 1000
    var unit = 100
    repeat {
      out.append(UInt8(ascii: "0") + UInt8(rest / unit))
      rest %= unit
      unit /= 10
    } while rest > 0
  }

  private static func append(_ text: String, to out: inout ByteBuffer) {
    out.append("\"")
    for byte in text.utf8 {
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { out.append("\\") }
      out.append(byte)
    }
    out.append("\"")
  }
}

/// An item with its parameters.
public struct StructuredElement: Sendable, Equatable {
  public var item: StructuredItem
  public var parameters: [StructuredParameter]
}

public struct StructuredParameter: Sendable, Equatable {
  public var name: String
  /// True where the text has a name alone.
  public var value: StructuredItem
}

/// A member of a dictionary (RFC 9651 §3.2).
public struct StructuredMember: Sendable, Equatable {
  public enum Value: Sendable, Equatable {
    case item(StructuredItem)
    case list([StructuredElement])
  }

  public var name: String
  public var value: Value
  public var parameters: [StructuredParameter]

  /// Appends the value with its parameters as text, without the name.
  public func appendValue(to out: inout ByteBuffer) {
    switch value {
    case .item(let item): item.append(to: &out)
    case .list(let elements):
      out.append("(")
      for (index, element) in elements.enumerated() {
        if index > 0 { out.append(" ") }
        element.item.append(to: &out)
        Self.append(element.parameters, to: &out)
      }
      out.append(")")
    }
    Self.append(parameters, to: &out)
  }

  private static func append(_ parameters: [StructuredParameter], to out: inout ByteBuffer) {
    for parameter in parameters {
      out.append(";")
      out.append(parameter.name)
      if parameter.value == .boolean(true) { continue }
      out.append("=")
      parameter.value.append(to: &out)
    }
  }
}
