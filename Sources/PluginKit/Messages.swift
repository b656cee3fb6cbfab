public import HTTP
public import Kernel

/// A request as it came in: its head, and the buffer that the head's fields are views into.
///
/// The head begins at the block's first byte and stays there until the exchange is over, while the body passes.
public struct RequestMessage: ~Copyable {
  private let inPlace = InPlace()
  public var head = RequestHead()
  public var buffer = IOBuffer()
  /// The whole body, out of its framing and content coding, while `holdsBody`.
  public var body = ByteBuffer(capacity: 16)
  /// Whether the body is held for hooks, and is forwarded from `body`.
  public var holdsBody = false
  /// Whether it is no longer the one that came.
  public var bodyIsChanged = false

  public init() {}

  /// Puts another body in the place of the one that is held, and gives back the old one's memory.
  public mutating func exchangeBody(with other: inout ByteBuffer) {
    swap(&body, &other)
    bodyIsChanged = true
  }

  mutating func resetBody() {
    holdsBody = false
    bodyIsChanged = false
    body.forget()
  }

  /// The bytes that the head's ranges point into.
  public var source: Span<UInt8> {
    @_lifetime(borrow self) get { buffer.slice(0, buffer.isLeased ? head.length : 0) }
  }

  public var method: Method { head.method }

  public var methodText: Span<UInt8> {
    @_lifetime(borrow self) get { head.methodRange.bytes(in: source) }
  }

  /// The first value of a field, with the edits made so far.
  @_lifetime(borrow self)
  public func header(_ name: FieldName) -> Span<UInt8>? { head.headers.value(of: name, in: source) }

  @_lifetime(borrow self)
  public func header(named name: String) -> Span<UInt8>? { head.headers.value(named: name, in: source) }

  @_lifetime(borrow self)
  public func header(named name: Span<UInt8>) -> Span<UInt8>? { head.headers.value(named: name, in: source) }

  public mutating func setHeader(_ name: String, _ value: String) {
    let length = head.length
    HeaderEdit.set(&head.headers, buffer, length, name, value)
  }

  /// Replaces all fields of a name by one; false, and nothing changed, when the value could not stand in a field.
  @discardableResult
  public mutating func setHeader(named name: Span<UInt8>, _ value: Span<UInt8>) -> Bool {
    let length = head.length
    return HeaderEdit.set(&head.headers, buffer, length, name, value)
  }

  public mutating func addHeader(_ name: String, _ value: String) { head.headers.add(name, value) }

  public mutating func removeHeader(_ name: String) {
    let length = head.length
    HeaderEdit.remove(&head.headers, buffer, length, name)
  }

  /// Removes every field whose name is in the set, in one pass.
  public mutating func removeHeaders(_ names: borrowing FieldNameSet) {
    let length = head.length
    HeaderEdit.remove(&head.headers, buffer, length, names)
  }

  /// Takes away what a client says for a proxy: every received `X-Forwarded-…` and `X-Real-IP`. What plugins have set
  /// stays.
  public mutating func removeReceivedForwarding() {
    let length = head.length
    HeaderEdit.removeForwarding(&head.headers, buffer, length)
  }

  /// Adds lines that were rendered before.
  public mutating func addHeaders(_ lines: borrowing RenderedFields) { head.headers.add(lines) }
}

/// A response on its way back: from an upstream (head and buffer), or made by the gateway (head and `body`).
public struct ResponseMessage: ~Copyable {
  private let inPlace = InPlace()
  public var head = ResponseHead()
  public var buffer = IOBuffer()
  /// The whole body of a response that the gateway makes itself.
  public var body = ByteBuffer(capacity: 512)
  /// Whether the gateway made it.
  public var isLocal = false
  /// Whether an upstream's body is held in `body` for hooks.
  public var holdsBody = false
  /// Whether a hook has put another body in the place of the one that was held.
  public var bodyIsChanged = false
  /// The content coding that the body is put into on its way; set by a hook of the head.
  public var coding: OutgoingCoding?
  /// The body of a response of the gateway's own that is sent from where it is kept, in the place of `body`.
  public var stored: StoredBody?
  /// Gets the content of an upstream's answer; set by an `AnswerHook`.
  public var recorder: BodyRecorder?

  public init() {}

  /// Puts another body in the place of the one that is held, and gives back the old one's memory.
  public mutating func exchangeBody(with other: inout ByteBuffer) {
    swap(&body, &other)
    bodyIsChanged = true
  }

  mutating func resetBody() {
    holdsBody = false
    bodyIsChanged = false
    coding = nil
    if stored != nil { stored = nil }
    if recorder != nil { recorder = nil }
    body.forget()
  }

  public var source: Span<UInt8> {
    @_lifetime(borrow self) get { buffer.slice(0, isLocal || !buffer.isLeased ? 0 : head.length) }
  }

  @_lifetime(borrow self)
  public func header(_ name: FieldName) -> Span<UInt8>? { head.headers.value(of: name, in: source) }

  @_lifetime(borrow self)
  public func header(named name: String) -> Span<UInt8>? { head.headers.value(named: name, in: source) }

  public mutating func setHeader(_ name: String, _ value: String) {
    let length = isLocal || !buffer.isLeased ? 0 : head.length
    HeaderEdit.set(&head.headers, buffer, length, name, value)
  }

  /// Replaces all fields of a name by one; false, and nothing changed, when the value could not stand in a field.
  @discardableResult
  public mutating func setHeader(named name: Span<UInt8>, _ value: Span<UInt8>) -> Bool {
    let length = isLocal || !buffer.isLeased ? 0 : head.length
    return HeaderEdit.set(&head.headers, buffer, length, name, value)
  }

  public mutating func addHeader(_ name: String, _ value: String) { head.headers.add(name, value) }

  public mutating func removeHeader(_ name: String) {
    let length = isLocal || !buffer.isLeased ? 0 : head.length
    HeaderEdit.remove(&head.headers, buffer, length, name)
  }

  /// Replaces all fields of a known name by one.
  public mutating func setHeader(_ name: FieldName, _ value: Span<UInt8>) {
    let length = isLocal || !buffer.isLeased ? 0 : head.length
    HeaderEdit.set(&head.headers, buffer, length, name, value)
  }

  public mutating func addHeader(_ name: FieldName, _ value: Span<UInt8>) { head.headers.add(name, value) }

  /// The same for a name that is not among the known ones.
  public mutating func addHeader(named name: StaticString, _ value: Span<UInt8>) {
    head.headers.add(literal: name, value)
  }

  /// Removes every field whose name is in the set, in one pass.
  public mutating func removeHeaders(_ names: borrowing FieldNameSet) {
    let length = isLocal || !buffer.isLeased ? 0 : head.length
    HeaderEdit.remove(&head.headers, buffer, length, names)
  }

  /// Adds lines that were rendered before.
  public mutating func addHeaders(_ lines: borrowing RenderedFields) { head.headers.add(lines) }

  /// The length of a whole body that is here.
  public var heldCount: Int { stored?.count ?? body.count }

  /// Takes a stored body into `body`, for hooks that read it.
  public mutating func unfoldStored() {
    guard let stored else { return }
    stored.append(to: &body)
    self.stored = nil
  }

  /// Starts a response of the gateway's own, without fields and body.
  public mutating func begin(status: Int) {
    isLocal = true
    stored = nil
    recorder = nil
    head.begin(status: status)
    body.removeAll()
  }
}

/// Edits fields while the bytes that they are views into are borrowed from the buffer beside them.
private enum HeaderEdit {
  static func set(
    _ headers: inout HeaderBlock, _ buffer: borrowing IOBuffer, _ length: Int, _ name: String, _ value: String
  ) {
    headers.set(name, value, in: buffer.slice(0, length))
  }

  static func set(
    _ headers: inout HeaderBlock, _ buffer: borrowing IOBuffer, _ length: Int, _ name: Span<UInt8>,
    _ value: Span<UInt8>
  ) -> Bool { headers.set(name, value, in: buffer.slice(0, length)) }

  static func remove(_ headers: inout HeaderBlock, _ buffer: borrowing IOBuffer, _ length: Int, _ name: String) {
    headers.remove(named: name, in: buffer.slice(0, length))
  }

  static func removeForwarding(_ headers: inout HeaderBlock, _ buffer: borrowing IOBuffer, _ length: Int) {
    headers.removeReceivedForwarding(in: buffer.slice(0, length))
  }

  static func remove(
    _ headers: inout HeaderBlock, _ buffer: borrowing IOBuffer, _ length: Int, _ names: borrowing FieldNameSet
  ) {
    headers.remove(names, in: buffer.slice(0, length))
  }

  static func set(
    _ headers: inout HeaderBlock, _ buffer: borrowing IOBuffer, _ length: Int, _ name: FieldName, _ value: Span<UInt8>
  ) {
    headers.set(name, value, in: buffer.slice(0, length))
  }
}

extension ByteBuffer {
  /// Empties a buffer that serves one exchange after another; memory of a large body is not kept.
  mutating func forget() {
    if capacity > 64 << 10 { self = ByteBuffer(capacity: 512) } else { removeAll() }
  }
}
