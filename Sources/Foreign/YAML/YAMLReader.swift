import CYAML
import Glibc

/// Reads YAML as a series of events, one for each call of `next`.
///
/// libyaml scans the text; this type owns its parser and lends what an event holds until the next call. Nothing is
/// built: whoever reads decides what to keep, and may stop at any event, so that hostile text costs no more than
/// the bytes it has.
@safe
public struct YAMLReader: ~Copyable {
  public enum Event: Sendable, Equatable {
    case documentStart
    case documentEnd
    case mappingStart
    case mappingEnd
    case sequenceStart
    case sequenceEnd
    /// `scalar` and `isPlain` tell more.
    case scalar
    /// `*name`; it is not followed.
    case alias
    /// The end of the text.
    case end
  }

  /// A line and a column, both from 1; columns count characters.
  public struct Mark: Sendable, Equatable {
    public var line: Int
    public var column: Int

    public init(line: Int, column: Int) {
      self.line = line
      self.column = column
    }
  }

  private var parser: UnsafeMutablePointer<yaml_parser_t>
  private var event: UnsafeMutablePointer<yaml_event_t>
  private var text: UnsafeMutablePointer<UInt8>

  /// - Parameter bytes: UTF-8; they are copied.
  public init(_ bytes: Span<UInt8>) {
    // SAFETY: all three blocks are owned by this value alone and freed in deinit; the parser reads `count` bytes of a
    // copy that lives as long as it does. Zeroed, an event is YAML_NO_EVENT, which may be deleted.
    unsafe parser = .allocate(capacity: 1)
    unsafe event = .allocate(capacity: 1)
    unsafe event.initialize(to: yaml_event_t())
    unsafe text = .allocate(capacity: max(1, bytes.count))
    let ready = unsafe yaml_parser_initialize(parser)
    precondition(ready == 1, "out of memory")
    unsafe bytes.withUnsafeBufferPointer { source in
      if let start = source.baseAddress { unsafe memcpy(text, start, source.count) }
    }
    unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    unsafe yaml_parser_set_input_string(parser, text, bytes.count)
  }

  deinit {
    // SAFETY: made in init, never shared.
    unsafe yaml_event_delete(event)
    unsafe yaml_parser_delete(parser)
    unsafe event.deallocate()
    unsafe parser.deallocate()
    unsafe text.deallocate()
  }

  /// The next event. After an error or `.end` there is none, and it must not be called again.
  public mutating func next() throws(YAMLSyntaxError) -> Event {
    // SAFETY: the event is deleted before it is overwritten, and deleting leaves it zeroed for the next round.
    unsafe yaml_event_delete(event)
    while true {
      guard unsafe yaml_parser_parse(parser, event) == 1 else { throw unsafe YAMLSyntaxError(parser.pointee) }
      switch unsafe event.pointee.type {
      case YAML_DOCUMENT_START_EVENT: return .documentStart
      case YAML_DOCUMENT_END_EVENT: return .documentEnd
      case YAML_MAPPING_START_EVENT: return .mappingStart
      case YAML_MAPPING_END_EVENT: return .mappingEnd
      case YAML_SEQUENCE_START_EVENT: return .sequenceStart
      case YAML_SEQUENCE_END_EVENT: return .sequenceEnd
      case YAML_SCALAR_EVENT: return .scalar
      case YAML_ALIAS_EVENT: return .alias
      case YAML_STREAM_END_EVENT: return .end
      default: continue  // The stream's start says nothing and owns nothing.
      }
    }
  }

  /// Where the current event begins.
  public var mark: Mark {
    // SAFETY: plain numbers of an event that this value owns.
    unsafe Mark(event.pointee.start_mark)
  }

  /// Whether the current scalar has neither quotes nor block style.
  public var isPlain: Bool {
    // SAFETY: only the scalar member is looked at, and only of a scalar.
    unsafe event.pointee.type == YAML_SCALAR_EVENT && event.pointee.data.scalar.style == YAML_PLAIN_SCALAR_STYLE
  }

  /// Whether the current scalar stands in quotes.
  public var isQuoted: Bool {
    // SAFETY: only the scalar member is looked at, and only of a scalar.
    guard unsafe event.pointee.type == YAML_SCALAR_EVENT else { return false }
    return switch unsafe event.pointee.data.scalar.style {
    case YAML_SINGLE_QUOTED_SCALAR_STYLE, YAML_DOUBLE_QUOTED_SCALAR_STYLE: true
    default: false
    }
  }

  /// Whether the current event names itself with `&`.
  public var hasAnchor: Bool {
    // SAFETY: the member of the union that the event's type says.
    switch unsafe event.pointee.type {
    case YAML_SCALAR_EVENT: unsafe event.pointee.data.scalar.anchor != nil
    case YAML_SEQUENCE_START_EVENT: unsafe event.pointee.data.sequence_start.anchor != nil
    case YAML_MAPPING_START_EVENT: unsafe event.pointee.data.mapping_start.anchor != nil
    default: false
    }
  }

  /// Whether the current event carries a tag (`!name`).
  public var hasTag: Bool {
    // SAFETY: the member of the union that the event's type says.
    switch unsafe event.pointee.type {
    case YAML_SCALAR_EVENT: unsafe event.pointee.data.scalar.tag != nil
    case YAML_SEQUENCE_START_EVENT: unsafe event.pointee.data.sequence_start.tag != nil
    case YAML_MAPPING_START_EVENT: unsafe event.pointee.data.mapping_start.tag != nil
    default: false
    }
  }

  /// The current scalar's text, unescaped: UTF-8, any control character. Empty for other events.
  public var scalar: Span<UInt8> {
    @_lifetime(borrow self) get {
      // SAFETY: libyaml's buffer lives until the event is deleted, which needs self mutably.
      let span = unsafe Span(_unsafeElements: scalarBytes)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  /// Appends the current scalar's text.
  public func copyScalar(to bytes: inout [UInt8]) {
    // SAFETY: the buffer is live during the call.
    unsafe bytes.append(contentsOf: scalarBytes)
  }

  private var scalarBytes: UnsafeBufferPointer<UInt8> {
    // SAFETY: pointer and length of a scalar belong together.
    guard unsafe event.pointee.type == YAML_SCALAR_EVENT else {
      return unsafe UnsafeBufferPointer(start: nil, count: 0)
    }
    return unsafe UnsafeBufferPointer(start: event.pointee.data.scalar.value, count: event.pointee.data.scalar.length)
  }
}

extension YAMLReader.Mark {
  init(_ mark: yaml_mark_t) {
    self.init(line: mark.line + 1, column: mark.column + 1)
  }
}
