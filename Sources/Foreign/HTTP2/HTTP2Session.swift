// long: what the library calls back and what the engine asks for share one state that nothing else may touch.

import CNghttp2
public import Kernel

/// One HTTP/2 connection's state (RFC 9113) over nghttp2, for either side: frames, header compression, windows.
///
/// It does no I/O. What the peer sent is fed in and comes out as events to be taken with `nextEvent`; what is to be
/// sent is produced on request. Bodies are not queued here: octets are offered, and what a window or the output has
/// no room for is left with the caller, so that memory stays where back-pressure can see it. For one thread.
///
/// SAFETY: the library calls back only from within a call on this object, which outlives the C session. Pointers into
/// what was offered live as long as that call.
@safe
public final class HTTP2Session {
  public enum Role: Sendable { case server, client }

  let session: OpaquePointer
  public let role: Role
  let options: HTTP2Options
  /// Outlives the C session, whose blocks are of it.
  private let memory: HTTP2Memory

  /// Lines of the heads that events refer to, and of the one that is still coming.
  public fileprivate(set) var received = HTTP2Fields()
  public private(set) var tally = HTTP2Tally()
  private var walk: HTTP2FrameWalk
  /// What this side's GOAWAY said; 0 for none or a regular end.
  public private(set) var failureCode: UInt32 = 0
  private var events: [HTTP2Event] = []
  private var nextIndex = 0
  private var streams: [StreamState] = []
  private var freeSlots: [Int] = []
  /// RST_STREAM frames of our own that are not sent yet.
  private var ownResets = 0

  /// Where the head that is coming begins among `received`; -1 when none is.
  private var headStart = -1
  private var headSlot = -1
  private var headSize = 0
  private var headIsNew = false
  private var headIsTruncated = false

  private var input: UnsafePointer<UInt8>?
  private var inputCount = 0
  private var offer = Offer()

  private struct StreamState {
    var id: Int32
    /// An event has told of it.
    var isKnown = false
    /// `offer` took less than it was shown, and the caller waits to be told.
    var isBlocked = false
  }

  /// Octets that may be sent during one call.
  @safe
  private struct Offer {
    var id: Int32 = -1
    var octets: UnsafePointer<UInt8>?
    var count = 0
    var taken = 0
    var end = HTTP2BodyEnd.open
    /// The frame that ends it was made.
    var ended = false
    var isTaken: Bool { taken == count && (ended || end == .open) }

    init() { unsafe octets = nil }
  }

  private static let costOfLongHead = 10 << 10
  /// Octets of content below which a frame that a window cut short is counted as one that carries nothing.
  private static let leastFrame = 128
  /// More octets of heads than this are not taken in at once.
  private static let receivedLimit = 128 << 10
  /// Room that the output needs for one call: the largest frame that the library makes, with its header.
  public static let frameRoom = 16_384 + 64

  /// - Parameter memory: shared by the sessions of a loop.
  public init(_ role: Role, _ options: HTTP2Options, memory: HTTP2Memory = HTTP2Memory()) throws(HTTP2Failure) {
    self.role = role
    self.options = options
    self.memory = memory
    walk = HTTP2FrameWalk(role)
    unsafe input = nil
    unsafe session = try HTTP2Library.makeSession(role, memory)
    // SAFETY: the object outlives the C session, which it deletes.
    unsafe nghttp2_session_set_user_data(session, Unmanaged.passUnretained(self).toOpaque())
    try begin()
  }

  // SAFETY: made in init and used by this object alone.
  deinit { unsafe nghttp2_session_del(session) }

  // MARK: What the peer sent

  /// Takes in octets; events follow, and must all be taken before the next call.
  ///
  /// - Returns: how many were taken in; fewer than there are when much came out of them, then feed the rest.
  public func feed(_ octets: Span<UInt8>) throws(HTTP2Failure) -> Int {
    precondition(nextIndex == events.count, "events were left")
    received.removeFirst(headStart >= 0 ? headStart : received.count)
    if headStart >= 0 { headStart = 0 }
    var (ahead, came) = walked(octets)
    // SAFETY: the span is live for the call, and the pointer is forgotten behind it.
    let result = unsafe octets.withUnsafeBufferPointer { buffer in
      unsafe input = buffer.baseAddress
      inputCount = buffer.count
      defer { unsafe input = nil }
      return unsafe nghttp2_session_mem_recv(session, buffer.baseAddress, buffer.count)
    }
    if result < 0 { throw HTTP2Library.failure(CInt(result)) }
    if result < octets.count { (ahead, came) = walked(octets.extracting(0..<result)) }
    walk = ahead
    tally.add(came)
    return result
  }

  private func walked(_ octets: Span<UInt8>) -> (HTTP2FrameWalk, HTTP2Tally) {
    var (ahead, came) = (walk, HTTP2Tally())
    ahead.advance(octets, &came) { slot(of: $0) >= 0 }
    return (ahead, came)
  }

  /// The number of the head that the peer has begun and not ended; nil when it has none to end.
  public var unfinishedHead: Int? { walk.unfinishedHead }

  public func nextEvent() -> HTTP2Event? {
    if nextIndex < events.count {
      nextIndex += 1
      return events[nextIndex - 1]
    }
    if nextIndex > 0 {
      events.removeAll(keepingCapacity: true)
      nextIndex = 0
    }
    return nil
  }

  public var hasEvents: Bool { nextIndex < events.count }
  /// Gives the slot of a closed stream to the next one.
  public func release(_ slot: Int) {
    streams[slot] = StreamState(id: 0)
    freeSlots.append(slot)
  }

  /// Says that octets of a stream were passed on, so that the peer may send as many again.
  public func consume(_ count: Int, of slot: Int) {
    // SAFETY: the session is alive; a stream that is gone is passed over.
    _ = unsafe nghttp2_session_consume(session, id(of: slot), count)
  }

  /// The same for octets of a stream that is over: they still count in the window of the connection.
  public func consume(_ count: Int) {
    // SAFETY: the session is alive.
    _ = unsafe nghttp2_session_consume_connection(session, count)
  }

  /// Octets of names and values of one head, with four for each line.
  public var headLimit: Int { options.headSize }

  public func id(of slot: Int) -> Int32 { streams[slot].id }

  // MARK: What is to be sent

  /// Writes frames as long as the output has room for one; false when there are no more.
  public func produce(into out: inout IOBuffer) throws(HTTP2Failure) -> Bool {
    try produce(into: &out, onlyOffered: false)
  }

  /// - Parameter onlyOffered: stops behind the frame with the last octet of what is offered.
  private func produce(into out: inout IOBuffer, onlyOffered: Bool) throws(HTTP2Failure) -> Bool {
    while out.room >= Self.frameRoom {
      if onlyOffered, offer.isTaken { return true }
      var frame: UnsafePointer<UInt8>?
      // SAFETY: the library points to memory of its own that is good until the next call; it is copied at once.
      let count = unsafe nghttp2_session_mem_send(session, &frame)
      if count < 0 { throw HTTP2Library.failure(CInt(count)) }
      guard count > 0, let frame = unsafe frame else { return false }
      _ = unsafe out.append(Span(_unsafeStart: frame, count: count))
    }
    return true
  }

  /// Offers content of a stream whose head was submitted; what is sent of it is in the output afterwards.
  ///
  /// - Returns: how many octets were taken, and whether the end was; when not all was, `writable` follows in time.
  public func offer(
    _ octets: Span<UInt8>, end: HTTP2BodyEnd, of slot: Int, into out: inout IOBuffer
  ) throws(HTTP2Failure) -> (taken: Int, ended: Bool) {
    let id = id(of: slot)
    // SAFETY: the span is live for the call, and the pointer is forgotten behind it.
    let result = unsafe octets.withUnsafeBufferPointer { buffer -> Result<Bool, HTTP2Failure> in
      offer.id = id
      unsafe offer.octets = buffer.baseAddress
      offer.count = buffer.count
      offer.taken = 0
      offer.end = end
      offer.ended = false
      // A stream that is queued already needs none; one that is gone takes nothing.
      _ = unsafe nghttp2_session_resume_data(session, id)
      defer { unsafe offer.octets = nil }
      return Result { () throws(HTTP2Failure) in try produce(into: &out, onlyOffered: true) }
    }
    offer.id = -1
    _ = try result.get()
    streams[slot].isBlocked = !offer.isTaken
    return (offer.taken, offer.ended)
  }

  // MARK: Called back by the library

  /// - Returns: octets written, or an error code of the library.
  func read(_ id: Int32, into buffer: UnsafeMutablePointer<UInt8>, room: Int, flags: inout UInt32) -> Int {
    guard offer.id == id, !offer.ended, offer.taken < offer.count || offer.end != .open else {
      let slot = slot(of: id)
      if slot >= 0, streams[slot].isBlocked {
        streams[slot].isBlocked = false
        events.append(.writable(slot: slot))
      }
      return Int(NGHTTP2_ERR_DEFERRED.rawValue)
    }
    let count = min(room, offer.count - offer.taken)
    // SAFETY: the library gives room for `room` octets; the offered ones are live during the call that offers them.
    if count > 0, let octets = unsafe offer.octets {
      unsafe buffer.update(from: octets + offer.taken, count: count)
    }
    offer.taken += count
    // A window that is never opened further than this has us make a frame of hardly anything, again and again.
    if offer.taken < offer.count, count < Self.leastFrame { tally.countTinyFrame() }
    if offer.taken == offer.count, offer.end != .open {
      offer.ended = true
      flags |= NGHTTP2_DATA_FLAG_EOF.rawValue
      if offer.end == .content { flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue }
    }
    return count
  }

  func headBegan(_ id: Int32, isNew: Bool) {
    headSlot = isNew ? claimSlot(id, isKnown: false) : slot(of: id)
    headStart = received.count
    headIsNew = isNew
    (headSize, headIsTruncated) = (0, false)
  }

  /// - Returns: false when enough has come for now.
  func lineCame(_ name: Span<UInt8>, _ value: Span<UInt8>) -> Bool {
    if headIsTruncated {
      tally.excess += name.count + value.count
      return true
    }
    received.append(name, value)
    headSize += name.count + value.count + 4
    if headSize > options.headSize {
      headIsTruncated = true
      tally.excess += Self.costOfLongHead
    }
    return received.size <= Self.receivedLimit
  }

  func headEnded(_ id: Int32, isEnd: Bool) {
    guard headStart >= 0 else { return }
    let lines = headStart..<received.count
    headStart = -1
    guard headSlot >= 0 else { return }
    streams[headSlot].isKnown = true
    events.append(
      .head(slot: headSlot, lines: lines, isNew: headIsNew, isTruncated: headIsTruncated, isEnd: isEnd))
  }

  func dataCame(_ id: Int32, _ start: UnsafePointer<UInt8>, count: Int) {
    // SAFETY: only compared; the library shows octets where they lie in what it was fed.
    guard let input = unsafe input, unsafe start >= input, unsafe start + count <= input + inputCount else { return }
    let offset = unsafe start - input
    let slot = slot(of: id)
    if slot >= 0 { events.append(.data(slot: slot, octets: offset..<offset + count)) }
  }

  func ended(_ id: Int32) {
    if case let slot = slot(of: id), slot >= 0 { events.append(.end(slot: slot)) }
  }

  func closed(_ id: Int32, code: UInt32) {
    let slot = slot(of: id)
    guard slot >= 0 else { return }
    if slot == headSlot, headStart >= 0 {
      headStart = -1
      headSlot = -1
    }
    // A stream whose head was never complete is nobody's.
    if streams[slot].isKnown { return events.append(.closed(slot: slot, code: code)) }
    release(slot)
    if code == HTTP2ErrorCode.protocolError.rawValue { events.append(.refused) }
  }

  func sentGoAway(code: UInt32) { failureCode = code }
  func sent(type: UInt8) {
    if type == UInt8(NGHTTP2_DATA.rawValue) { tally.dataSent += 1 }
    guard type == UInt8(NGHTTP2_RST_STREAM.rawValue) else { return }
    if ownResets > 0 { ownResets -= 1 } else { tally.resetsProvoked += 1 }
  }

  func came(_ event: HTTP2Event) { events.append(event) }

  // MARK: Slots

  func claimSlot(_ id: Int32, isKnown: Bool) -> Int {
    let slot = freeSlots.popLast() ?? streams.count
    let state = StreamState(id: id, isKnown: isKnown)
    if slot == streams.count { streams.append(state) } else { streams[slot] = state }
    // SAFETY: the number is never used as an address.
    _ = unsafe nghttp2_session_set_stream_user_data(session, id, UnsafeMutableRawPointer(bitPattern: slot + 1))
    return slot
  }

  /// -1 without one.
  func slot(of id: Int32) -> Int {
    // SAFETY: as above.
    unsafe Int(bitPattern: nghttp2_session_get_stream_user_data(session, id)) - 1
  }

  func countOwnReset() { ownResets += 1 }
}
