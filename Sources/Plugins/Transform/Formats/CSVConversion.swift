import Kernel
import JSON

/// Comma-separated values (RFC 4180) as JSON; every value is a text.
enum CSVConversion {
  static func convert(
    _ body: Span<UInt8>, hasHeader: Bool, limit: Int, to out: inout ByteBuffer
  ) throws(ConversionFailure) {
    try ConversionFailure.requireUTF8(body)
    var reader = CSVReader()
    var names: [[UInt8]]?
    var columns: Int?
    var isFirst = true
    out.append("[")
    while let row = try reader.row(of: body) {
      if row == [[]] { continue }
      if let columns, columns != row.count {
        throw .malformed("this row has another number of fields", offset: reader.rowStart)
      }
      columns = row.count
      if hasHeader, names == nil {
        guard Set(row).count == row.count else { throw .malformed("two columns have the same name", offset: 0) }
        names = row
        continue
      }
      if !isFirst { out.append(",") }
      isFirst = false
      append(row, names, to: &out)
      if out.count > limit { throw .tooLarge }
    }
    out.append("]")
  }

  private static func append(_ row: [[UInt8]], _ names: [[UInt8]]?, to out: inout ByteBuffer) {
    out.append(names == nil ? "[" : "{")
    for (index, value) in row.enumerated() {
      if index > 0 { out.append(",") }
      if let names {
        let name = names[index]
        out.append(json: name.span)
        out.append(":")
      }
      out.append(json: value.span)
    }
    out.append(names == nil ? "]" : "}")
  }
}

/// Reads one row after another.
private struct CSVReader {
  private var index = 0
  private(set) var rowStart = 0

  /// The fields of the next row; nil when there is none.
  mutating func row(of body: Span<UInt8>) throws(ConversionFailure) -> [[UInt8]]? {
    if index >= body.count { return nil }
    rowStart = index
    var fields: [[UInt8]] = []
    while true {
      fields.append(try field(of: body))
      if index < body.count, body[index] == UInt8(ascii: ",") {
        index += 1
        continue
      }
      if index < body.count, body[index] == 0x0D { index += 1 }
      if index < body.count {
        if body[index] != 0x0A { throw .malformed("a line feed must follow here", offset: index) }
        index += 1
      }
      return fields
    }
  }

  private mutating func field(of body: Span<UInt8>) throws(ConversionFailure) -> [UInt8] {
    var value: [UInt8] = []
    guard index < body.count, body[index] == UInt8(ascii: "\"") else {
      while index < body.count, ![UInt8(ascii: ","), 0x0D, 0x0A].contains(body[index]) {
        if body[index] == UInt8(ascii: "\"") { throw .malformed("a quote stands within a field", offset: index) }
        value.append(body[index])
        index += 1
      }
      return value
    }
    let start = index
    index += 1
    while index < body.count {
      if body[index] != UInt8(ascii: "\"") {
        value.append(body[index])
      } else if index + 1 < body.count, body[index + 1] == UInt8(ascii: "\"") {
        value.append(body[index])
        index += 1
      } else {
        index += 1
        if index < body.count, ![UInt8(ascii: ","), 0x0D, 0x0A].contains(body[index]) {
          throw .malformed("something follows the closing quote", offset: index)
        }
        return value
      }
      index += 1
    }
    throw .malformed("a quote is not closed", offset: start)
  }
}
