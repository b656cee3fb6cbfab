package import HTTP
package import Kernel

/// A request as it came in: its head, and the buffer that the head's fields are views into.
///
/// The head begins at the block's first byte and stays there until the exchange is over, while the body passes.
package struct RequestMessage: ~Copyable {
  package var head = RequestHead()
  package var buffer = IOBuffer()

  package init() {}

  /// The bytes that the head's ranges point into.
  package var source: Span<UInt8> {
    @_lifetime(borrow self) get { buffer.slice(0, buffer.isLeased ? head.length : 0) }
  }

  package var method: Method { head.method }

  package var methodText: Span<UInt8> {
    @_lifetime(borrow self) get { head.methodRange.bytes(in: source) }
  }

  /// The first value of a field, with the edits made so far.
  @_lifetime(borrow self)
  package func header(_ name: FieldName) -> Span<UInt8>? { head.headers.value(of: name, in: source) }

  @_lifetime(borrow self)
  package func header(named name: String) -> Span<UInt8>? { head.headers.value(named: name, in: source) }

  @_lifetime(borrow self)
  package func header(named name: Span<UInt8>) -> Span<UInt8>? { head.headers.value(named: name, in: source) }

  package mutating func setHeader(_ name: String, _ value: String) {
    let length = head.length
    HeaderEdit.set(&head.headers, buffer, length, name, value)
  }

  package mutating func addHeader(_ name: String, _ value: String) { head.headers.add(name, value) }

  package mutating func removeHeader(_ name: String) {
    let length = head.length
    HeaderEdit.remove(&head.headers, buffer, length, name)
  }
}

/// A response on its way back: from an upstream (head and buffer), or made by the gateway (head and `body`).
package struct ResponseMessage: ~Copyable {
  package var head = ResponseHead()
  package var buffer = IOBuffer()
  /// The whole body of a response that the gateway makes itself.
  package var body = ByteBuffer(capacity: 512)
  /// Whether the gateway made it.
  package var isLocal = false

  package init() {}

  package var source: Span<UInt8> {
    @_lifetime(borrow self) get { buffer.slice(0, isLocal || !buffer.isLeased ? 0 : head.length) }
  }

  @_lifetime(borrow self)
  package func header(_ name: FieldName) -> Span<UInt8>? { head.headers.value(of: name, in: source) }

  @_lifetime(borrow self)
  package func header(named name: String) -> Span<UInt8>? { head.headers.value(named: name, in: source) }

  package mutating func setHeader(_ name: String, _ value: String) {
    let length = isLocal || !buffer.isLeased ? 0 : head.length
    HeaderEdit.set(&head.headers, buffer, length, name, value)
  }

  package mutating func addHeader(_ name: String, _ value: String) { head.headers.add(name, value) }

  package mutating func removeHeader(_ name: String) {
    let length = isLocal || !buffer.isLeased ? 0 : head.length
    HeaderEdit.remove(&head.headers, buffer, length, name)
  }

  /// Starts a response of the gateway's own, without fields and body.
  package mutating func begin(status: Int) {
    isLocal = true
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

  static func remove(_ headers: inout HeaderBlock, _ buffer: borrowing IOBuffer, _ length: Int, _ name: String) {
    headers.remove(named: name, in: buffer.slice(0, length))
  }
}
