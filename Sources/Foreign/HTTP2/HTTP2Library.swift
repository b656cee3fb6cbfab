import CNghttp2

/// Making sessions of the C library, and what it calls back.
///
/// SAFETY: in every callback the context is the `HTTP2Session` that the running call was made on, and pointers are good
/// for as many octets as the library says.
enum HTTP2Library {
  static func makeSession(
    _ role: HTTP2Session.Role, _ memory: HTTP2Memory
  ) throws(HTTP2Failure) -> OpaquePointer {
    var callbacks: OpaquePointer?
    var option: OpaquePointer?
    defer {
      // SAFETY: made below; the session keeps copies. Both may be nil.
      unsafe nghttp2_session_callbacks_del(callbacks)
      unsafe nghttp2_option_del(option)
    }
    guard unsafe nghttp2_session_callbacks_new(&callbacks) == 0, unsafe nghttp2_option_new(&option) == 0 else {
      throw failure(CInt(NGHTTP2_ERR_NOMEM.rawValue))
    }
    unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, headBegan)
    unsafe nghttp2_session_callbacks_set_on_header_callback(callbacks, lineCame)
    unsafe nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks, badLineCame)
    unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, frameCame)
    unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, dataCame)
    unsafe nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, streamClosed)
    unsafe nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, frameSent)
    unsafe nghttp2_option_set_no_auto_window_update(option, 1)
    unsafe nghttp2_option_set_no_closed_streams(option, 1)
    unsafe nghttp2_option_set_max_outbound_ack(option, mostUnsentAcknowledgements)
    // Frames of unknown types are passed over.
    unsafe nghttp2_session_callbacks_set_unpack_extension_callback(callbacks, extensionCame)
    for type in firstUnknownType...UInt8.max { unsafe nghttp2_option_set_user_recv_extension_type(option, type) }
    unsafe nghttp2_option_set_builtin_recv_extension_type(option, UInt8(NGHTTP2_PRIORITY_UPDATE.rawValue))
    var session: OpaquePointer?
    let code = unsafe memory.withAllocator { allocator in
      switch role {
      case .server: unsafe nghttp2_session_server_new3(&session, callbacks, nil, option, allocator)
      case .client: unsafe nghttp2_session_client_new3(&session, callbacks, nil, option, allocator)
      }
    }
    guard code == 0, let session = unsafe session else { throw failure(code) }
    return unsafe session
  }

  /// Behind the types that the library knows, PRIORITY_UPDATE last.
  private static let firstUnknownType: UInt8 = 0x11
  /// Answers to PING and SETTINGS that may wait for a peer that does not read.
  private static let mostUnsentAcknowledgements = 2000

  /// Where the library gets content from; it is asked whenever a window has room.
  static var contentProvider: nghttp2_data_provider {
    var provider = unsafe nghttp2_data_provider()
    unsafe provider.read_callback = readContent
    return unsafe provider
  }

  static func withProvider(
    _ provider: nghttp2_data_provider?, _ body: (UnsafePointer<nghttp2_data_provider>?) -> Void
  ) {
    // SAFETY: the copy lives for the call.
    guard var provider = unsafe provider else { return body(nil) }
    unsafe withUnsafePointer(to: &provider) { unsafe body($0) }
  }

  static func failure(_ code: CInt) -> HTTP2Failure {
    // SAFETY: the library's texts live for ever.
    HTTP2Failure(description: unsafe String(cString: nghttp2_strerror(code)))
  }

  /// Calls the session that a callback is about, without counting a reference.
  @inline(__always)
  fileprivate static func withOwner<R>(_ context: UnsafeMutableRawPointer?, _ body: (HTTP2Session) -> R) -> R {
    // SAFETY: the context is what the session's init set; the call that the library is in holds the session.
    unsafe Unmanaged<HTTP2Session>.fromOpaque(context!)._withUnsafeGuaranteedRef { body($0) }
  }
}

@c private func headBegan(
  _ session: OpaquePointer?, _ frame: UnsafePointer<nghttp2_frame>?, _ context: UnsafeMutableRawPointer?
) -> CInt {
  // SAFETY: the library's own pointers, good for this call; the context is the session.
  guard let frame = unsafe frame else { return 0 }
  let isNew = unsafe frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST
  let stream = unsafe frame.pointee.hd.stream_id
  unsafe HTTP2Library.withOwner(context) { $0.headBegan(stream, isNew: isNew) }
  return 0
}

@c private func lineCame(
  _ session: OpaquePointer?, _ frame: UnsafePointer<nghttp2_frame>?, _ name: UnsafePointer<UInt8>?, _ nameCount: Int,
  _ value: UnsafePointer<UInt8>?, _ valueCount: Int, _ flags: UInt8, _ context: UnsafeMutableRawPointer?
) -> CInt {
  // SAFETY: the library's own pointers, good for this call; the context is the session.
  guard let name = unsafe name, let value = unsafe value else { return 0 }
  let goesOn = unsafe HTTP2Library.withOwner(context) {
    unsafe $0.lineCame(Span(_unsafeStart: name, count: nameCount), Span(_unsafeStart: value, count: valueCount))
  }
  return goesOn ? 0 : NGHTTP2_ERR_PAUSE.rawValue
}

/// A line that HTTP/2 forbids but the library would pass over: the whole message is refused.
@c private func badLineCame(
  _ session: OpaquePointer?, _ frame: UnsafePointer<nghttp2_frame>?, _ name: UnsafePointer<UInt8>?, _ nameCount: Int,
  _ value: UnsafePointer<UInt8>?, _ valueCount: Int, _ flags: UInt8, _ context: UnsafeMutableRawPointer?
) -> CInt {
  // SAFETY: the library's own pointers, good for this call; the context is the session.
  guard let frame = unsafe frame else { return 0 }
  let code = NGHTTP2_PROTOCOL_ERROR.rawValue
  _ = unsafe nghttp2_submit_rst_stream(session, 0, frame.pointee.hd.stream_id, code)
  return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue
}

@c private func frameCame(
  _ session: OpaquePointer?, _ frame: UnsafePointer<nghttp2_frame>?, _ context: UnsafeMutableRawPointer?
) -> CInt {
  // SAFETY: the library's own pointers, good for this call; the context is the session.
  guard let frame = unsafe frame else { return 0 }
  let header = unsafe frame.pointee.hd
  let isEnd = UInt32(header.flags) & NGHTTP2_FLAG_END_STREAM.rawValue != 0
  let isAnswer = UInt32(header.flags) & NGHTTP2_FLAG_ACK.rawValue != 0
  unsafe HTTP2Library.withOwner(context) { owner in
    switch UInt32(header.type) {
    case NGHTTP2_HEADERS.rawValue: owner.headEnded(header.stream_id, isEnd: isEnd)
    case NGHTTP2_DATA.rawValue: if isEnd { owner.ended(header.stream_id) }
    case NGHTTP2_GOAWAY.rawValue:
      let goAway = unsafe frame.pointee.goaway
      unsafe owner.came(.goAway(last: goAway.last_stream_id, code: goAway.error_code))
    case NGHTTP2_SETTINGS.rawValue: if !isAnswer { owner.came(.settings) }
    case NGHTTP2_PING.rawValue: if isAnswer { owner.came(.pong) }
    default: break
    }
  }
  return 0
}

@c private func dataCame(
  _ session: OpaquePointer?, _ flags: UInt8, _ stream: Int32, _ start: UnsafePointer<UInt8>?, _ count: Int,
  _ context: UnsafeMutableRawPointer?
) -> CInt {
  // SAFETY: the library's own pointers, good for this call; the context is the session.
  guard let start = unsafe start else { return 0 }
  unsafe HTTP2Library.withOwner(context) { unsafe $0.dataCame(stream, start, count: count) }
  return 0
}

@c private func extensionCame(
  _ session: OpaquePointer?, _ payload: UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
  _ header: UnsafePointer<nghttp2_frame_hd>?, _ context: UnsafeMutableRawPointer?
) -> CInt { NGHTTP2_ERR_CANCEL.rawValue }

@c private func streamClosed(
  _ session: OpaquePointer?, _ stream: Int32, _ code: UInt32, _ context: UnsafeMutableRawPointer?
) -> CInt {
  // SAFETY: the library's own pointers, good for this call; the context is the session.
  unsafe HTTP2Library.withOwner(context) { $0.closed(stream, code: code) }
  return 0
}

@c private func frameSent(
  _ session: OpaquePointer?, _ frame: UnsafePointer<nghttp2_frame>?, _ context: UnsafeMutableRawPointer?
) -> CInt {
  // SAFETY: the library's own pointers, good for this call; the context is the session.
  guard let frame = unsafe frame else { return 0 }
  let type = unsafe frame.pointee.hd.type
  unsafe HTTP2Library.withOwner(context) { owner in
    owner.sent(type: type)
    if type == UInt8(NGHTTP2_GOAWAY.rawValue) { unsafe owner.sentGoAway(code: frame.pointee.goaway.error_code) }
  }
  return 0
}

@c private func readContent(
  _ session: OpaquePointer?, _ stream: Int32, _ buffer: UnsafeMutablePointer<UInt8>?, _ room: Int,
  _ flags: UnsafeMutablePointer<UInt32>?, _ source: UnsafeMutablePointer<nghttp2_data_source>?,
  _ context: UnsafeMutableRawPointer?
) -> Int {
  // SAFETY: the library's own pointers, good for this call; the context is the session.
  guard let buffer = unsafe buffer, let flags = unsafe flags else { return Int(NGHTTP2_ERR_DEFERRED.rawValue) }
  return unsafe HTTP2Library.withOwner(context) {
    unsafe $0.read(stream, into: buffer, room: room, flags: &flags.pointee)
  }
}
