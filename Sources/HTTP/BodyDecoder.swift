import Kernel

/// What one call of `BodyDecoder.decode` did.
public struct BodyStep: Sendable, Equatable {
  /// Bytes of the span that belong to this message; all of them unless it is done.
  public var consumed: Int
  /// Where the content lies in the span: 0 unless decoded in place.
  public var start: Int
  /// Bytes of content.
  public var produced: Int
  /// Whether the message is complete. What lies behind `consumed` belongs to the next one.
  public var done: Bool
}

/// Takes the content of a message out of its framing (RFC 9112 §6 and §7), in the buffer that it was received in.
///
/// With a length nothing moves. Chunked content is compacted: chunk sizes are checked, extensions are dropped, and
/// trailers are collected in a bounded buffer of their own. One decoder serves a connection for its life; a message
/// without trailers allocates nothing.
public struct BodyDecoder: ~Copyable {
  private enum State {
    case length, untilClose
    case size, extensions, sizeLineFeed
    case data, dataReturn, dataLineFeed
    case trailerStart, lastLineFeed, trailers
    case done
  }

  private let limits: HTTPLimits
  private var state: State
  /// Bytes still to come of the body or chunk.
  private var remaining = 0
  /// Digits of the chunk size so far.
  private var digits = 0
  /// Bytes of this chunk's extensions so far.
  private var extensionLength = 0
  private var extensions = ChunkExtensions()
  /// By how much extensions have outgrown data.
  private var overhead = 0
  /// Fields of a complete trailer section.
  private var trailerCount = 0
  private var trailerSection: TrailerSection?

  public init(_ framing: BodyFraming, limits: HTTPLimits) {
    self.limits = limits
    state = .done
    begin(framing)
  }

  /// Makes ready for another message; keeps the memory.
  public mutating func begin(_ framing: BodyFraming) {
    remaining = 0
    digits = 0
    extensionLength = 0
    overhead = 0
    trailerCount = 0
    trailerSection?.reset()
    switch framing {
    case .none: state = .done
    case .length(let length):
      remaining = length
      state = length == 0 ? .done : .length
    case .chunked: state = .size
    case .untilClose: state = .untilClose
    }
  }

  public var isDone: Bool { state == .done }

  /// Whether trailers came; known once done.
  public var hasTrailers: Bool { trailerCount > 0 }

  /// Shows the trailers and the bytes that they are views into, when there are any.
  public mutating func withTrailers(_ body: (inout HeaderBlock, Span<UInt8>) -> Void) {
    if hasTrailers { trailerSection?.show(body) }
  }

  /// The peer has closed: the end of content without framing, otherwise an error.
  public mutating func end() throws(HTTPError) {
    if state == .untilClose { state = .done }
    if state != .done { throw .truncatedMessage }
  }

  /// Decodes the bytes behind those of the calls before, and moves the content to the front of the span.
  public mutating func decode(_ bytes: inout MutableSpan<UInt8>) throws(HTTPError) -> BodyStep {
    var step = try decodeInPlace(&bytes)
    ByteScan.move(&bytes, from: step.start, to: 0, count: step.produced)
    step.start = 0
    return step
  }

  /// As `decode`, but leaves the first run of content where it is, at `step.start`: what one chunk fills is not moved.
  public mutating func decodeInPlace(_ bytes: inout MutableSpan<UInt8>) throws(HTTPError) -> BodyStep {
    let count = bytes.count
    switch state {
    case .length:
      let taken = min(remaining, count)
      remaining -= taken
      if remaining == 0 { state = .done }
      return BodyStep(consumed: taken, start: 0, produced: taken, done: remaining == 0)
    case .untilClose: return BodyStep(consumed: count, start: 0, produced: count, done: false)
    case .done: return BodyStep(consumed: 0, start: 0, produced: 0, done: true)
    default: return try decodeChunks(&bytes)
    }
  }

  private mutating func decodeChunks(_ bytes: inout MutableSpan<UInt8>) throws(HTTPError) -> BodyStep {
    var step = BodyStep(consumed: 0, start: 0, produced: 0, done: false)
    while step.consumed < bytes.count, state != .done {
      if state == .data {
        let taken = min(remaining, bytes.count - step.consumed)
        if step.produced == 0 { step.start = step.consumed }
        ByteScan.move(&bytes, from: step.consumed, to: step.start + step.produced, count: taken)
        step.consumed += taken
        step.produced += taken
        remaining -= taken
        if remaining == 0 { state = .dataReturn }
      } else if state == .trailers {
        step.consumed += try decodeTrailers(bytes.span.extracting(step.consumed..<bytes.count))
      } else {
        step.consumed += try decodeFraming(bytes[step.consumed])
      }
    }
    step.done = state == .done
    return step
  }

  /// Decodes one byte between the data of two chunks; returns how many were consumed, 0 for a trailer's first.
  private mutating func decodeFraming(_ byte: UInt8) throws(HTTPError) -> Int {
    switch state {
    case .size: try decodeSize(byte)
    case .extensions: try decodeExtension(byte)
    case .sizeLineFeed:
      if byte != HeaderBlock.lf { throw .bareCarriageReturn }
      overhead = max(0, overhead + extensionLength - remaining)
      if overhead > limits.chunkOverhead { throw .chunkExtensionTooLong }
      state = remaining == 0 ? .trailerStart : .data
      digits = 0
      extensionLength = 0
    case .dataReturn:
      if byte != HeaderBlock.cr { throw .invalidChunkEnd }
      state = .dataLineFeed
    case .dataLineFeed:
      if byte != HeaderBlock.lf { throw .invalidChunkEnd }
      state = .size
    case .trailerStart:
      if byte == HeaderBlock.cr {
        state = .lastLineFeed
      } else {
        if trailerSection == nil { trailerSection = TrailerSection() }
        state = .trailers
        return 0
      }
    case .lastLineFeed:
      if byte != HeaderBlock.lf { throw .bareCarriageReturn }
      state = .done
    case .length, .untilClose, .data, .trailers, .done: preconditionFailure("not a state between chunks")
    }
    return 1
  }

  /// 1 to 15 digits: no size of that many overflows, and no larger chunk exists.
  private mutating func decodeSize(_ byte: UInt8) throws(HTTPError) {
    if let value = Authority.hexadecimal(byte) {
      digits += 1
      if digits > 15 { throw .invalidChunkSize }
      remaining = remaining << 4 | Int(value)
      return
    }
    if digits == 0 { throw byte == HeaderBlock.lf ? .bareLineFeed : .invalidChunkSize }
    switch byte {
    case HeaderBlock.cr: state = .sizeLineFeed
    case UInt8(ascii: ";"):
      state = .extensions
      extensions = ChunkExtensions()
    case HeaderBlock.lf: throw .bareLineFeed
    default: throw .invalidChunkSize
    }
  }

  private mutating func decodeExtension(_ byte: UInt8) throws(HTTPError) {
    extensionLength += 1
    if extensionLength > limits.chunkExtension { throw .chunkExtensionTooLong }
    switch byte {
    case HeaderBlock.cr:
      if !extensions.isComplete { throw .invalidChunkExtension }
      state = .sizeLineFeed
    case HeaderBlock.lf: throw .bareLineFeed
    default: if !extensions.take(byte) { throw .invalidChunkExtension }
    }
  }

  private mutating func decodeTrailers(_ bytes: Span<UInt8>) throws(HTTPError) -> Int {
    var section = trailerSection.take() ?? TrailerSection()
    let consumed = try section.decode(bytes, limits: limits)
    if section.isDone {
      state = .done
      trailerCount = section.headers.fields.count
    }
    trailerSection = consume section
    return consumed
  }
}
