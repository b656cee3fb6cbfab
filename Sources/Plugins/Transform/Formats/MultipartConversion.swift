import HTTP
import JSON
import Kernel

/// The parts of `multipart/form-data` (RFC 7578) as members: a field is its text, a file an object with `filename`,
/// `content_type` and its `content` in base64.
enum MultipartConversion {
  static func convert(_ body: Span<UInt8>, type: Span<UInt8>?, to out: inout ByteBuffer) throws(ConversionFailure) {
    guard let type, let boundary = parameter("boundary", of: text(type)), !boundary.isEmpty, boundary.utf8.count <= 70
    else { throw .malformed("Content-Type names no boundary", offset: 0) }
    let delimiter = Array(("--" + boundary).utf8)
    var values = NamedValues()
    guard var index = find(delimiter, in: body, from: 0, isFirst: true) else {
      throw .malformed("the boundary does not occur", offset: 0)
    }
    while true {
      index += delimiter.count
      if index + 2 <= body.count, body[index] == UInt8(ascii: "-"), body[index + 1] == UInt8(ascii: "-") { break }
      guard index + 2 <= body.count, body[index] == 0x0D, body[index + 1] == 0x0A else {
        throw .malformed("a line break must follow the boundary", offset: index)
      }
      index += 2
      guard let end = find(delimiter, in: body, from: index, isFirst: false) else {
        throw .malformed("the last boundary is missing", offset: body.count)
      }
      try add(body.extracting(index..<end - 2), at: index, to: &values)
      index = end
    }
    values.append(to: &out)
  }

  /// The next delimiter that stands at the beginning of a line.
  private static func find(_ delimiter: [UInt8], in body: Span<UInt8>, from start: Int, isFirst: Bool) -> Int? {
    var index = start
    while index + delimiter.count <= body.count {
      index = ByteScan.index(of: UInt8(ascii: "-"), in: body, from: index)
      guard index + delimiter.count <= body.count else { return nil }
      let isLine =
        index == 0 ? isFirst : index >= start + 2 && body[index - 2] == 0x0D && body[index - 1] == 0x0A
      if isLine, ByteScan.equal(body.extracting(index..<index + delimiter.count), delimiter.span) { return index }
      index += 1
    }
    return nil
  }

  private static func add(
    _ part: Span<UInt8>, at offset: Int, to values: inout NamedValues
  ) throws(ConversionFailure) {
    var disposition: String?
    var type: String?
    var index = 0
    while true {
      let end = ByteScan.index(of: 0x0D, in: part, from: index)
      guard end + 1 < part.count, part[end + 1] == 0x0A else {
        throw .malformed("the head of a part does not end", offset: offset)
      }
      if end == index { break }
      let line = text(part.extracting(index..<end))
      let field = line.split(separator: ":", maxSplits: 1)
      if field.count == 2 {
        if field[0].lowercased() == "content-disposition" { disposition = String(field[1]) }
        if field[0].lowercased() == "content-type" { type = String(field[1].drop { $0 == " " }) }
      }
      index = end + 2
    }
    guard let disposition, let name = parameter("name", of: disposition) else {
      throw .malformed("a part has no name", offset: offset)
    }
    let content = part.extracting(index + 2..<part.count)
    var json = ByteBuffer(capacity: content.count + 64)
    if let filename = parameter("filename", of: disposition) {
      appendFile(filename, type, content, to: &json)
    } else {
      if let mistake = UTF8Check.firstMistake(in: content) {
        throw .malformed("it is not UTF-8", offset: offset + index + 2 + mistake)
      }
      json.append(json: content)
    }
    values.add(Array(name.utf8), json.span.indices.map { json.span[$0] })
  }

  private static func appendFile(
    _ name: String, _ type: String?, _ content: Span<UInt8>, to json: inout ByteBuffer
  ) {
    json.append("{\"filename\":")
    json.append(json: name)
    if let type {
      json.append(",\"content_type\":")
      json.append(json: type)
    }
    json.append(",\"content\":\"")
    Base64.append(content, to: &json)
    json.append("\"}")
  }

  /// A parameter of a field, in quotes or not.
  private static func parameter(_ name: String, of field: String) -> String? {
    var rest = field[...]
    while let semicolon = rest.firstIndex(of: ";") {
      rest = rest[rest.index(after: semicolon)...].drop { $0 == " " || $0 == "\t" }
      guard let equals = rest.firstIndex(of: "=") else { return nil }
      let isWanted = rest[..<equals].lowercased() == name
      rest = rest[rest.index(after: equals)...]
      var value = ""
      if rest.first == "\"" {
        rest.removeFirst()
        while let character = rest.popFirst(), character != "\"" {
          if character == "\\", let next = rest.popFirst() { value.append(next) } else { value.append(character) }
        }
      } else {
        value = String(rest.prefix { $0 != ";" && $0 != " " })
      }
      if isWanted { return value }
    }
    return nil
  }

  private static func text(_ bytes: Span<UInt8>) -> String {
    String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self)
  }
}
