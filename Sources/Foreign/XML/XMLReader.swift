import CExpat

/// Reads a whole XML document into events.
///
/// A document type declaration is refused: without one there are no entities but the five of XML itself, so none that
/// names a file and none that multiplies. Names keep their prefixes; namespaces are not resolved.
public enum XMLReader {
  public enum Event: Sendable {
    case start(String, attributes: [(name: String, value: String)])
    case text([UInt8])
    case end
  }

  public struct Failure: Error {
    public enum Reason: Sendable { case malformed, doctype, tooDeep }
    public let reason: Reason
    /// In bytes of the document.
    public let offset: Int
  }

  /// - Parameter depth: the most elements that may be open at a time.
  public static func read(_ bytes: Span<UInt8>, depth: Int) throws(Failure) -> [Event] {
    // SAFETY: made here and freed below.
    guard let parser = unsafe XML_ParserCreate(nil) else { throw Failure(reason: .malformed, offset: 0) }
    defer { unsafe XML_ParserFree(parser) }
    // SAFETY: it uses the parser only within callbacks.
    let gathering = unsafe Gathering(parser, deepest: depth)
    // SAFETY: `gathering` outlives the parsing, which is over before this function returns.
    unsafe XML_SetUserData(parser, Unmanaged.passUnretained(gathering).toOpaque())
    unsafe XML_SetElementHandler(
      parser, { unsafe XMLReader.start($0, $1, $2) }, { data, _ in unsafe XMLReader.of(data)?.end() })
    unsafe XML_SetCharacterDataHandler(parser) { data, text, count in
      guard let text = unsafe text else { return }
      unsafe XMLReader.of(data)?.text(UnsafeBufferPointer(start: text, count: Int(count)).map { UInt8(bitPattern: $0) })
    }
    unsafe XML_SetStartDoctypeDeclHandler(parser) { data, _, _, _, _ in unsafe XMLReader.of(data)?.stop(.doctype) }
    let status = unsafe bytes.withUnsafeBytes { buffer in
      unsafe XML_Parse(parser, buffer.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(buffer.count), 1)
    }
    if let reason = gathering.reason {
      throw Failure(reason: reason, offset: max(0, unsafe Int(XML_GetCurrentByteIndex(parser))))
    }
    guard status == XML_STATUS_OK else {
      throw Failure(reason: .malformed, offset: max(0, unsafe Int(XML_GetCurrentByteIndex(parser))))
    }
    return gathering.events
  }

  // SAFETY: the pointer is the one that `read` has set, to an object that lives while the parser does.
  private static func of(_ data: UnsafeMutableRawPointer?) -> Gathering? {
    unsafe data.map { unsafe Unmanaged<Gathering>.fromOpaque($0).takeUnretainedValue() }
  }

  // SAFETY: expat hands over terminated strings, and a list of them that a null ends, all live during the call.
  private static func start(
    _ data: UnsafeMutableRawPointer?, _ name: UnsafePointer<XML_Char>?,
    _ attributes: UnsafeMutablePointer<UnsafePointer<XML_Char>?>?
  ) {
    guard let name = unsafe name else { return }
    var found: [(name: String, value: String)] = []
    var index = 0
    while let list = unsafe attributes, let key = unsafe list[index], let value = unsafe list[index + 1] {
      unsafe found.append((String(cString: key), String(cString: value)))
      index += 2
    }
    unsafe of(data)?.start(String(cString: name), found)
  }
}

/// What the callbacks write to.
///
/// SAFETY: the parser is that of `read`, which this object does not outlive.
@safe
private final class Gathering {
  private let parser: XML_Parser
  private let deepest: Int
  private var depth = 0
  private(set) var events: [XMLReader.Event] = []
  private(set) var reason: XMLReader.Failure.Reason?

  init(_ parser: XML_Parser, deepest: Int) {
    unsafe self.parser = parser
    self.deepest = deepest
  }

  func start(_ name: String, _ attributes: [(name: String, value: String)]) {
    depth += 1
    if depth > deepest { return stop(.tooDeep) }
    events.append(.start(name, attributes: attributes))
  }

  func end() {
    depth -= 1
    events.append(.end)
  }

  func text(_ bytes: [UInt8]) { events.append(.text(bytes)) }

  func stop(_ reason: XMLReader.Failure.Reason) {
    if self.reason == nil { self.reason = reason }
    // SAFETY: allowed within a callback.
    unsafe _ = XML_StopParser(parser, 0)
  }
}
