import JSON
import Kernel

/// Members that are the same in many lines, such as a route's name and template: escaped once, copied as they are.
public struct CallLogMembers: Sendable {
  let bytes: [UInt8]

  /// - Parameter members: each value is cut when it is longer than 1 KiB.
  public init(_ members: [(CallField, String)]) {
    var rendered = ByteBuffer(capacity: 128)
    for (field, value) in members {
      rendered.append(",\"")
      rendered.append(field.key)
      rendered.append("\":\"")
      let text = value.utf8.count > 1_024 ? String(value.prefix(256)) + "…" : value
      rendered.append(jsonEscaped: text.utf8Span.span)
      rendered.append("\"")
    }
    bytes = Self.copy(rendered)
  }

  fileprivate static func copy(_ buffer: borrowing ByteBuffer) -> [UInt8] {
    let span = buffer.span
    return Array(copying: span)
  }
}

/// The name of a field as it stands in `request_headers` or `response_headers`: rendered once, with its colon.
public struct CallLogHeaderKey: Sendable {
  let bytes: [UInt8]

  public init(_ name: String) {
    var rendered = ByteBuffer(capacity: 64)
    rendered.append("\"")
    rendered.append(jsonEscaped: name.utf8Span.span)
    rendered.append("\":\"")
    bytes = CallLogMembers.copy(rendered)
  }
}
