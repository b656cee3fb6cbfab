import HTTP
import Kernel

/// The content codings that answers can be put into.
enum ContentCodingName: String, Sendable, CaseIterable { case zstd, gzip }

/// What a client says of content codings (RFC 9110 §12.5.3): weights in thousandths, nil where it says nothing.
struct AcceptedCodings {
  private var gzip: Int?
  private var zstd: Int?
  private var identity: Int?
  private var any: Int?

  /// Reads one field value, of which there may be several.
  mutating func read(_ value: Span<UInt8>) {
    var start = 0
    while let range = FieldElements.next(of: value, from: &start) { readElement(value.extracting(range)) }
  }

  /// The place of the coding that the client likes best; nil when the body goes as it is.
  ///
  /// A client that forbids `identity` and takes nothing else gets it all the same, as an answer that it may be able to
  /// read is more use than none.
  func best(of order: [ContentCodingName]) -> Int? {
    var found: (index: Int, weight: Int)?
    for index in order.indices {
      let weight = (order[index] == .gzip ? gzip : zstd) ?? any ?? 0
      if weight > found?.weight ?? 0 { found = (index, weight) }
    }
    guard let found, found.weight >= identity ?? 0 else { return nil }
    return found.index
  }

  private mutating func readElement(_ element: Span<UInt8>) {
    var start = 0
    guard let name = FieldElements.next(of: element, from: &start, separator: UInt8(ascii: ";")) else { return }
    var weight = 1000
    while let parameter = FieldElements.next(of: element, from: &start, separator: UInt8(ascii: ";")) {
      if let told = Self.weight(element.extracting(parameter)) { weight = told }
    }
    let coding = element.extracting(name)
    if Self.means(coding, "gzip") || Self.means(coding, "x-gzip") {
      gzip = max(gzip ?? 0, weight)
    } else if Self.means(coding, "zstd") {
      zstd = max(zstd ?? 0, weight)
    } else if Self.means(coding, "identity") {
      identity = weight
    } else if Self.means(coding, "*") {
      any = weight
    }
  }

  private static func means(_ value: Span<UInt8>, _ name: StaticString) -> Bool {
    ByteScan.equalIgnoringCase(value, ByteScan.bytes(of: name))
  }

  /// The weight of `q=0.5`, 0 for one that is none; nil for another parameter.
  private static func weight(_ parameter: Span<UInt8>) -> Int? {
    guard parameter.count >= 2, parameter[0] | 0x20 == UInt8(ascii: "q"), parameter[1] == UInt8(ascii: "=") else {
      return nil
    }
    let digits = parameter.count - 2
    guard digits == 1 || digits >= 3 && digits <= 5 && parameter[3] == UInt8(ascii: ".") else { return 0 }
    var weight = 0
    var unit = 1000
    for index in 2..<parameter.count where index != 3 {
      let digit = Int(parameter[index]) - 0x30
      guard (0...9).contains(digit) else { return 0 }
      weight += digit * unit
      unit /= 10
    }
    return weight <= 1000 ? weight : 0
  }
}
