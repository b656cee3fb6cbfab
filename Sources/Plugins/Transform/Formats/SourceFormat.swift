import HTTP
import JSON
import Kernel

/// What a body is before `transform` makes JSON of it.
enum SourceFormat: String, Sendable, CaseIterable {
  case json
  case xml
  /// The first row has the names: a list of objects.
  case csv
  /// A list of lists.
  case csvRows = "csv_rows"
  case form
  case multipart

  /// Whether a Content-Type says that a body is this.
  func isNamed(_ type: Span<UInt8>?) -> Bool {
    guard let type else { return self == .json }
    switch self {
    case .json: return JSONType.isNamed(type)
    case .xml: return Self.name(of: type, endsWith: "/xml") || Self.name(of: type, endsWith: "+xml")
    case .csv, .csvRows: return Self.name(of: type, endsWith: "text/csv")
    case .form: return Self.name(of: type, endsWith: "application/x-www-form-urlencoded")
    case .multipart: return Self.name(of: type, endsWith: "multipart/form-data")
    }
  }

  private static func name(of type: Span<UInt8>, endsWith suffix: StaticString) -> Bool {
    var end = ByteScan.index(of: UInt8(ascii: ";"), in: type)
    while end > 0, type[end - 1] == 0x20 || type[end - 1] == 0x09 { end -= 1 }
    let count = suffix.utf8CodeUnitCount
    return end >= count
      && ByteScan.equalIgnoringCase(type.extracting(end - count..<end), ByteScan.bytes(of: suffix))
  }

  /// Appends a body as JSON.
  ///
  /// - Parameters:
  ///   - type: the Content-Type, for the boundary of multipart.
  ///   - limit: of the result: names of columns are repeated in every row, so a small body may stand for a huge one.
  func convert(
    _ body: Span<UInt8>, type: Span<UInt8>?, limit: Int, to out: inout ByteBuffer
  ) throws(ConversionFailure) {
    switch self {
    case .json: out.append(body)
    case .xml: try XMLConversion.convert(body, to: &out)
    case .csv: try CSVConversion.convert(body, hasHeader: true, limit: limit, to: &out)
    case .csvRows: try CSVConversion.convert(body, hasHeader: false, limit: limit, to: &out)
    case .form: try FormConversion.convert(body, to: &out)
    case .multipart: try MultipartConversion.convert(body, type: type, to: &out)
    }
    if out.count > limit { throw .tooLarge }
  }
}

/// Why a body could not be made JSON.
enum ConversionFailure: Error {
  case malformed(StaticString, offset: Int)
  case tooLarge

  /// Fails at the first byte that is not UTF-8.
  static func requireUTF8(_ text: Span<UInt8>) throws(ConversionFailure) {
    if let offset = UTF8Check.firstMistake(in: text) { throw .malformed("it is not UTF-8", offset: offset) }
  }
}

/// Fields with their names, of which several may be the same: those become a list.
struct NamedValues {
  private var order: [[UInt8]] = []
  private var values: [[UInt8]: [[UInt8]]] = [:]

  /// - Parameter json: the value, as JSON.
  mutating func add(_ name: [UInt8], _ json: [UInt8]) {
    if values[name, default: []].isEmpty { order.append(name) }
    values[name, default: []].append(json)
  }

  func append(to out: inout ByteBuffer) {
    out.append("{")
    for (index, name) in order.enumerated() {
      if index > 0 { out.append(",") }
      out.append(json: name.span)
      out.append(":")
      let values = values[name] ?? []
      if values.count > 1 { out.append("[") }
      for (index, value) in values.enumerated() {
        if index > 0 { out.append(",") }
        out.append(value.span)
      }
      if values.count > 1 { out.append("]") }
    }
    out.append("}")
  }
}
