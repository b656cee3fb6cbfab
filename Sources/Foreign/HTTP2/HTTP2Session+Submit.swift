import CNghttp2

/// What this side begins: messages, resets, the end.
extension HTTP2Session {
  /// Queues the head of the answer to a stream of the peer's.
  ///
  /// - Parameter isEnd: no content follows.
  public func submitResponse(_ fields: borrowing HTTP2Fields, to slot: Int, isEnd: Bool) {
    let id = id(of: slot)
    unsafe withLines(of: fields) { lines, count in
      // SAFETY: the library copies lines and provider; a stream that is gone is passed over.
      unsafe HTTP2Library.withProvider(isEnd ? nil : HTTP2Library.contentProvider) {
        _ = unsafe nghttp2_submit_response(session, id, lines, count, $0)
      }
    }
  }

  /// Queues an interim answer.
  public func submitInformational(_ fields: borrowing HTTP2Fields, to slot: Int) {
    let id = id(of: slot)
    unsafe withLines(of: fields) { lines, count in
      // SAFETY: as above.
      _ = unsafe nghttp2_submit_headers(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), id, nil, lines, count, nil)
    }
  }

  /// Queues the trailers that end a message whose content has ended.
  public func submitTrailers(_ fields: borrowing HTTP2Fields, to slot: Int) {
    let id = id(of: slot)
    unsafe withLines(of: fields) { lines, count in
      // SAFETY: as above.
      _ = unsafe nghttp2_submit_trailer(session, id, lines, count)
    }
  }

  /// Opens a stream with a request; nil when the session takes none any more.
  public func submitRequest(_ fields: borrowing HTTP2Fields, isEnd: Bool) -> Int? {
    var id: Int32 = -1
    unsafe withLines(of: fields) { lines, count in
      // SAFETY: as above.
      unsafe HTTP2Library.withProvider(isEnd ? nil : HTTP2Library.contentProvider) {
        id = unsafe nghttp2_submit_request(session, nil, lines, count, $0, nil)
      }
    }
    return id > 0 ? claimSlot(id, isKnown: true) : nil
  }

  /// Ends a stream with an error code of RFC 9113 §7; a protocol error is the peer's doing, and counts as such.
  public func reset(_ slot: Int, code: HTTP2ErrorCode) {
    let flags = UInt8(NGHTTP2_FLAG_NONE.rawValue)
    // SAFETY: the session is alive; a stream that is gone is passed over.
    let result = unsafe nghttp2_submit_rst_stream(session, flags, id(of: slot), code.rawValue)
    if result == 0, code != .protocolError { countOwnReset() }
  }

  /// Says that no further stream is taken soon (RFC 9113 §6.8), while those under way go on.
  public func announceShutdown() {
    // SAFETY: the session is alive.
    _ = unsafe nghttp2_submit_shutdown_notice(session)
  }

  /// Says which streams were taken, and takes no more.
  public func refuseFurtherStreams() {
    let flags = UInt8(NGHTTP2_FLAG_NONE.rawValue)
    // SAFETY: the session is alive.
    let last = unsafe nghttp2_session_get_last_proc_stream_id(session)
    _ = unsafe nghttp2_submit_goaway(session, flags, last, 0, nil, 0)
  }

  /// Ends the whole session: GOAWAY, and nothing is taken in any more.
  public func terminate(code: HTTP2ErrorCode) {
    // SAFETY: the session is alive.
    _ = unsafe nghttp2_session_terminate_session(session, code.rawValue)
  }

  /// Whether the session has come to its end, once nothing is left to produce.
  public var isOver: Bool {
    // SAFETY: the session is alive.
    unsafe nghttp2_session_want_read(session) == 0 && nghttp2_session_want_write(session) == 0
  }

  /// Frames that wait to be produced, content aside.
  public var queuedFrames: Int {
    // SAFETY: as above.
    unsafe nghttp2_session_get_outbound_queue_size(session)
  }

  public func ping() {
    // SAFETY: as above.
    _ = unsafe nghttp2_submit_ping(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), nil)
  }

  /// Streams that the peer lets this side have open.
  public var peerStreams: Int {
    // SAFETY: as above.
    Int(unsafe nghttp2_session_get_remote_settings(session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS))
  }

  /// Whether the peer takes extended CONNECT (RFC 8441 §3).
  public var peerTakesExtendedConnect: Bool {
    // SAFETY: as above.
    unsafe nghttp2_session_get_remote_settings(session, NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) == 1
  }

  /// The first frames: what this side says of itself.
  func begin() throws(HTTP2Failure) {
    var settings = [
      nghttp2_settings_entry(Int32(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue), options.streamWindow),
      nghttp2_settings_entry(Int32(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE.rawValue), options.headSize),
    ]
    switch role {
    case .server:
      settings.append(
        nghttp2_settings_entry(Int32(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS.rawValue), options.streams))
      // RFC 8441 §3: WebSockets may be asked for.
      settings.append(nghttp2_settings_entry(Int32(NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL.rawValue), 1))
      // RFC 9218 §2.1: the priorities of RFC 7540 are ignored.
      settings.append(nghttp2_settings_entry(Int32(NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES.rawValue), 1))
    case .client:
      settings.append(nghttp2_settings_entry(Int32(NGHTTP2_SETTINGS_ENABLE_PUSH.rawValue), 0))
    }
    let flags = UInt8(NGHTTP2_FLAG_NONE.rawValue)
    // SAFETY: the library copies the entries.
    let code = unsafe settings.withUnsafeBufferPointer {
      unsafe nghttp2_submit_settings(session, flags, $0.baseAddress, $0.count)
    }
    if code != 0 { throw HTTP2Library.failure(code) }
    let window = Int32(clamping: options.connectionWindow)
    // SAFETY: the session is alive.
    _ = unsafe nghttp2_session_set_local_window_size(session, flags, 0, window)
  }

  /// Shows the lines in the form that the library wants.
  private func withLines(
    of fields: borrowing HTTP2Fields, _ body: (UnsafePointer<nghttp2_nv>?, Int) -> Void
  ) {
    // SAFETY: the list is borrowed for the whole call, so its octets stay where they are; the library only reads them.
    unsafe fields.withOctets { octets in
      // On the stack, as long as there are no more than some dozens.
      unsafe withUnsafeTemporaryAllocation(of: nghttp2_nv.self, capacity: fields.count) { lines in
        for index in fields.lines.indices {
          let line = fields.lines[index]
          let flags = line.isUnique ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE
          unsafe lines.initializeElement(
            at: index,
            to: nghttp2_nv(
              name: UnsafeMutablePointer(mutating: octets + line.name),
              value: UnsafeMutablePointer(mutating: octets + line.value), namelen: line.value - line.name,
              valuelen: line.end - line.value, flags: UInt8(flags.rawValue)))
        }
        unsafe body(lines.baseAddress, lines.count)
      }
    }
  }
}

extension nghttp2_settings_entry {
  fileprivate init(_ id: Int32, _ value: Int) { self.init(settings_id: id, value: UInt32(clamping: value)) }
}

/// Error codes of RFC 9113 §7 that Sluice sends or tells apart.
public struct HTTP2ErrorCode: Sendable, Equatable {
  public let rawValue: UInt32

  public init(_ rawValue: UInt32) { self.rawValue = rawValue }

  public static let none = HTTP2ErrorCode(0)
  public static let protocolError = HTTP2ErrorCode(1)
  public static let internalError = HTTP2ErrorCode(2)
  public static let refusedStream = HTTP2ErrorCode(7)
  public static let cancel = HTTP2ErrorCode(8)
  public static let enhanceYourCalm = HTTP2ErrorCode(11)
}
