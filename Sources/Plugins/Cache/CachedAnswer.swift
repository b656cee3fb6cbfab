import HTTP
import Kernel
import PluginKit

/// An answer as it is kept: immutable, shared by all workers, its fields rendered and its body as it came.
final class CachedAnswer: Sendable {
  let status: Int
  /// The end-to-end fields, without Age and Content-Length.
  let fields: RenderedFields
  /// Those of them that a 304 has.
  let conditionalFields: RenderedFields
  let body: StoredBody
  let freshness: Freshness
  /// Empty: none.
  let etag: [UInt8]
  let lastModified: [UInt8]
  /// `lastModified` in seconds since 1970.
  let modified: Int?
  /// The fields of requests that it was chosen by, in lower case, and what they were; nil where there was none.
  let vary: [String]
  let varied: [[UInt8]?]
  /// What it costs.
  let bytes: Int

  init(
    status: Int, _ traits: AnswerTraits, _ freshness: Freshness, body: StoredBody, vary: [String], varied: [[UInt8]?]
  ) {
    self.status = status
    fields = traits.fields
    conditionalFields = traits.conditionalFields
    self.body = body
    self.freshness = freshness
    etag = traits.etag
    lastModified = traits.lastModified
    let text = traits.lastModified
    modified = text.isEmpty ? nil : HTTPDate.seconds(of: text.span)
    self.vary = vary
    self.varied = varied
    bytes =
      Self.overhead + body.capacity + 2 * traits.size + varied.reduce(0) { $0 + ($1?.count ?? 0) }
  }

  /// Objects, arrays and the entry in the table.
  private static let overhead = 512

  var hasValidator: Bool { !etag.isEmpty || !lastModified.isEmpty }

  /// Whether a request is one that it was chosen for.
  func suits(_ request: borrowing RequestMessage, _ scratch: inout ByteBuffer) -> Bool {
    for index in vary.indices {
      let isThere = VariedField.read(vary[index], of: request, into: &scratch)
      guard let value = varied[index] else {
        if isThere { return false }
        continue
      }
      if !isThere || !ByteScan.equal(scratch.span, value.span) { return false }
    }
    return true
  }

  /// Whether a client that has a copy with these validators has this one (RFC 9110 §13.2.2).
  func isHeld(by request: borrowing RequestMessage) -> Bool {
    if status != 200 { return false }
    if request.head.headers.contains(.ifNoneMatch) {
      var isNamed = false
      request.head.headers.forEachValue(of: .ifNoneMatch, in: request.source) { value in
        if matches(value) { isNamed = true }
      }
      return isNamed
    }
    guard let modified, let since = request.header(.ifModifiedSince), let seconds = HTTPDate.seconds(of: since) else {
      return false
    }
    return modified <= seconds
  }

  private func matches(_ list: Span<UInt8>) -> Bool {
    var start = 0
    let etag = etag
    while let range = FieldElements.next(of: list, from: &start) {
      let tag = list.extracting(range)
      if tag.count == 1, tag[0] == UInt8(ascii: "*") { return true }
      if !etag.isEmpty, ByteScan.equal(Self.opaque(tag), Self.opaque(etag.span)) { return true }
    }
    return false
  }

  /// A tag without its mark of weakness: they are compared weakly.
  @_lifetime(copy tag)
  private static func opaque(_ tag: Span<UInt8>) -> Span<UInt8> {
    tag.count > 2 && tag[0] == UInt8(ascii: "W") && tag[1] == UInt8(ascii: "/") ? tag.extracting(2..<tag.count) : tag
  }
}

/// The value of a field that answers vary by: its lines as one list.
enum VariedField {
  /// False, with nothing written, when the request has none.
  static func read(_ name: String, of request: borrowing RequestMessage, into out: inout ByteBuffer) -> Bool {
    out.removeAll()
    var isThere = false
    request.head.headers.forEachValue(named: name.utf8Span.span, in: request.source) { value in
      if isThere { out.append(", ") }
      out.append(value)
      isThere = true
    }
    return isThere
  }
}
