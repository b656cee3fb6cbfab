public import Kernel

/// Writes one JSON document, or several, piece by piece into a buffer of its own.
///
/// It places commas and closes what was opened; it does not check that keys and values alternate.
///
///     var json = JSONWriter()
///     json.object {
///       $0.member("status", "ready")
///       $0.array("warnings") { $0.value("the file is newer than what runs") }
///     }
public struct JSONWriter: ~Copyable {
  /// What is written so far.
  public var buffer: ByteBuffer
  private var needsComma = false

  public init(capacity: Int = 256) { buffer = ByteBuffer(capacity: capacity) }

  /// The document as a string, for small answers and tests.
  public var text: String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(buffer.count)
    let span = buffer.span
    for index in span.indices { bytes.append(span[index]) }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Ends a document of several, with a line feed between them.
  public mutating func endLine() {
    buffer.append(UInt8(ascii: "\n"))
    needsComma = false
  }

  // Values: elements of an array, or the document itself.

  public mutating func value(_ text: Span<UInt8>) {
    separate()
    buffer.append(json: text)
  }

  public mutating func value(_ text: String) { value(text.utf8Span.span) }

  public mutating func value(_ number: Int) {
    separate()
    buffer.append(decimal: number)
  }

  public mutating func value(_ number: Double) {
    separate()
    buffer.append(json: number)
  }

  public mutating func value(_ flag: Bool) {
    separate()
    buffer.append(json: flag)
  }

  public mutating func null() {
    separate()
    buffer.append("null")
  }

  /// A value that is JSON already.
  public mutating func value(literal json: Span<UInt8>) {
    separate()
    buffer.append(json)
  }

  public mutating func object(_ body: (inout JSONWriter) -> Void) {
    enclose(open: UInt8(ascii: "{"), close: UInt8(ascii: "}"), body)
  }

  public mutating func array(_ body: (inout JSONWriter) -> Void) {
    enclose(open: UInt8(ascii: "["), close: UInt8(ascii: "]"), body)
  }

  // Members: a key and its value, within an object.

  public mutating func key(_ name: String) {
    separate()
    buffer.append(json: name)
    buffer.append(UInt8(ascii: ":"))
    needsComma = false
  }

  public mutating func member(_ name: String, _ text: Span<UInt8>) {
    key(name)
    value(text)
  }

  public mutating func member(_ name: String, _ text: String) {
    key(name)
    value(text)
  }

  public mutating func member(_ name: String, _ number: Int) {
    key(name)
    value(number)
  }

  public mutating func member(_ name: String, _ number: Double) {
    key(name)
    value(number)
  }

  public mutating func member(_ name: String, _ flag: Bool) {
    key(name)
    value(flag)
  }

  public mutating func object(_ name: String, _ body: (inout JSONWriter) -> Void) {
    key(name)
    object(body)
  }

  public mutating func array(_ name: String, _ body: (inout JSONWriter) -> Void) {
    key(name)
    array(body)
  }

  private mutating func separate() {
    if needsComma { buffer.append(UInt8(ascii: ",")) }
    needsComma = true
  }

  private mutating func enclose(open: UInt8, close: UInt8, _ body: (inout JSONWriter) -> Void) {
    separate()
    buffer.append(open)
    needsComma = false
    body(&self)
    buffer.append(close)
    needsComma = true
  }
}
