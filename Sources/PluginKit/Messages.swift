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
    @_lifetime(borrow self) get { source.extracting(head.methodRange) }
  }

  /// The first value of a field, with the edits made so far.
  @_lifetime(borrow self)
  package func header(_ name: FieldName) -> Span<UInt8>? { head.headers.value(of: name, in: source) }

  @_lifetime(borrow self)
  package func header(named name: String) -> Span<UInt8>? { head.headers.value(named: name, in: source) }

  package mutating func setHeader(_ name: String, _ value: String) {
    let source = buffer.slice(0, head.length)
    head.headers.set(name, value, in: source)
  }

  package mutating func addHeader(_ name: String, _ value: String) { head.headers.add(name, value) }

  package mutating func removeHeader(_ name: String) {
    let source = buffer.slice(0, head.length)
    head.headers.remove(named: name, in: source)
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
    let source = buffer.slice(0, isLocal || !buffer.isLeased ? 0 : head.length)
    head.headers.set(name, value, in: source)
  }

  package mutating func addHeader(_ name: String, _ value: String) { head.headers.add(name, value) }

  package mutating func removeHeader(_ name: String) {
    let source = buffer.slice(0, isLocal || !buffer.isLeased ? 0 : head.length)
    head.headers.remove(named: name, in: source)
  }

  /// Starts a response of the gateway's own, without fields and body.
  package mutating func begin(status: Int) {
    isLocal = true
    head.reset()
    head.status = status
    body.removeAll()
  }
}
