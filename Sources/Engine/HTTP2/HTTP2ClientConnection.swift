import Foreign
import Kernel
import PluginKit
import Runtime

/// A connection to a target that speaks HTTP/2: many calls at a time, each over a stream of its own.
///
/// It is ready when the target has said its settings: only then is it certain that it speaks HTTP/2, and known how many
/// streams it takes. Streams that are leased before wait for that as for a connect. A stream that was given back serves
/// a later call, so that a call allocates nothing.
final class HTTP2ClientConnection: HTTP2Channel {
  private enum Stage {
    case connecting
    /// What both sides say first is under way.
    case greeting
    case ready
    /// No further stream is opened.
    case leaving
  }

  /// Told when there is room for a call, and of the end; nil for a connection of one call.
  private let pool: TargetPool?
  private var stage = Stage.connecting
  /// Why it never became ready; nil also when the target refused to be connected to.
  private(set) var failure: Fault?
  /// The same in words.
  private(set) var failureText = ""
  private(set) var hasFailed = false
  /// Streams that calls hold.
  private(set) var leased = 0
  /// Streams that calls gave back before the target had ended them.
  private var lingering: [HTTP2ClientStream] = []
  private var resting: [HTTP2ClientStream] = []
  /// Leased streams that wait for the connection to be ready.
  private var waiting: [HTTP2ClientStream] = []
  /// Calls that it has carried.
  private(set) var served = 0
  /// Whether the connect was counted.
  var isCounted = false
  private var idleSince: Int
  private let connectDeadline: Int
  private let idleTimeout: Int

  /// Streams of one connection, whatever more the target would take.
  static let mostStreams = 100
  private static let streamWindow = 128 << 10

  /// - Parameters:
  ///   - transport: to the target, perhaps still connecting.
  ///   - headSize: octets of the longest head that is taken.
  init(
    _ transport: Transport, on context: HTTP2Context, pool: TargetPool?, headSize: Int, connectTimeout: Int,
    idleTimeout: Int
  ) throws(HTTP2Failure) {
    self.pool = pool
    self.idleTimeout = idleTimeout
    idleSince = context.loop.now
    connectDeadline = context.loop.now + connectTimeout
    // No stream that is read slowly may take another one's window.
    let options = HTTP2Options(
      streamWindow: Self.streamWindow, connectionWindow: Self.mostStreams * Self.streamWindow, headSize: headSize)
    super.init(transport, try HTTP2Session(.client, options, memory: context.memory), on: context)
  }

  var isReady: Bool { stage == .ready }
  var isSecure: Bool { transport is TLSSocket }
  var isIdle: Bool { leased == 0 }

  // MARK: Leasing

  /// Calls that can be carried beside those that are, now or when the connection is ready.
  var room: Int {
    switch stage {
    case .connecting, .greeting: max(0, Self.mostStreams - leased)
    case .ready: transport.isPeerClosed ? 0 : max(0, limit - leased)
    case .leaving: 0
    }
  }

  private var limit: Int { min(Self.mostStreams, session.peerStreams) }

  func lease() -> HTTP2ClientStream {
    if isReady, leased + lingering.count >= limit {
      // Of these only the target's end is missing.
      for stream in Array(lingering) { stream.close() }
    }
    leased += 1
    let stream = resting.popLast() ?? HTTP2ClientStream(self)
    stream.prepare(isReady: isReady)
    if !isReady { waiting.append(stream) }
    return stream
  }

  /// Takes back a stream whose call is over; what the target still has to say of it is awaited.
  func giveBack(_ stream: HTTP2ClientStream) {
    leased -= 1
    served += 1
    stream.waker = nil
    if stream.isSaid, stream.slot < 0 {
      resting.append(stream)
    } else {
      stream.isLingering = true
      lingering.append(stream)
    }
    idle()
  }

  override func finished(_ stream: HTTP2Stream) {
    guard let stream = stream as? HTTP2ClientStream, stream.isLingering else { return }
    let lease = stream.lease
    forget(stream)
    stream.lease = lease
    resting.append(stream)
    pool?.streamFreed(self)
  }

  /// A stream that lingered is over.
  func forget(_ stream: HTTP2ClientStream) {
    stream.isLingering = false
    stream.lease = nil
    lingering.removeAll { $0 === stream }
  }

  override func streamClosed(_ stream: HTTP2Stream) {
    guard let stream = stream as? HTTP2ClientStream else { return }
    stream.lease = nil
    if stream.isLingering { return forget(stream) }
    leased -= 1
    waiting.removeAll { $0 === stream }
    idle()
  }

  private func idle() {
    guard leased == 0, !isClosed else { return }
    idleSince = context.loop.now
    if stage == .leaving { terminate(code: .none) }
    markDirty()
  }

  // MARK: Becoming ready

  override func isConnected() -> Bool {
    guard stage == .connecting else { return true }
    guard transport.isWritable else { return false }
    if transport.isPeerClosed, transport.error != 0 {
      fail(because: (transport as? TLSSocket)?.failure)
      return false
    }
    if let socket = transport as? TLSSocket, socket.negotiatedProtocol != Self.name {
      fail(.targetNotHTTP2, "does not choose HTTP/2")
      return false
    }
    stage = .greeting
    return true
  }

  static let name = "h2"

  private func fail(because failure: TLSFailure?) {
    guard let failure else { return fail(nil, "refuses connections") }
    fail(.tlsFailed(failure.kind), "fails the TLS handshake: \(failure)")
  }

  private func fail(_ fault: Fault?, _ text: String) {
    failure = fault
    failureText = text
    hasFailed = true
    close()
  }

  override func settingsChanged() {
    if stage == .greeting {
      stage = .ready
      // Rung when the frames of this read are through, as they would be for what came for them.
      for stream in waiting {
        stream.isWritable = true
        touch(stream)
      }
      waiting.removeAll()
    }
    pool?.streamFreed(self)
  }

  /// A call has waited for it as long as one may.
  func giveUp() {
    guard stage == .connecting || stage == .greeting else { return }
    fail(.connectTimeout, "did not accept a connection in time")
  }

  override func takeHead(_ stream: HTTP2Stream, _ lines: Range<Int>, isTruncated: Bool, isEnd: Bool) {
    guard let stream = stream as? HTTP2ClientStream else { return }
    if stream.isLingering, isEnd { return stream.takeEnd() }
    if stream.isLingering || !stream.takeHead(lines, of: session, isTruncated: isTruncated, isEnd: isEnd) {
      session.reset(stream.slot, code: .protocolError)
    }
  }

  // MARK: The end

  override func goingAway(last: Int32) { leave() }

  /// Opens no further stream, and ends with the last one.
  func leave() {
    guard !isClosed else { return }
    switch stage {
    case .connecting, .greeting: if leased == 0 { close() }
    case .leaving: break
    case .ready:
      stage = .leaving
      idle()
      pool?.streamFreed(self)
    }
  }

  override func closing() {
    guard stage == .connecting || stage == .greeting, !hasFailed else { return }
    hasFailed = true
    if stage == .connecting {
      failure = .connectTimeout
      failureText = "did not accept a connection in time"
    } else if let broken = (transport as? TLSSocket)?.failure {
      failure = .tlsFailed(broken.kind)
      failureText = "fails the TLS handshake: \(broken)"
    } else {
      failure = .targetNotHTTP2
      failureText = "does not speak HTTP/2"
    }
  }

  override func connectionClosed() {
    stage = .leaving
    for stream in waiting {
      stream.breakOff(nil)
      stream.waker?.ring(.socket)
    }
    waiting.removeAll()
    for stream in resting { stream.lease = nil }
    resting.removeAll()
    pool?.closed(self)
  }

  override var deadline: Int {
    guard leased == 0 else { return .max }
    return stage == .connecting || stage == .greeting ? connectDeadline : idleSince + idleTimeout
  }

  override func deadlinePassed() {
    guard leased == 0 else { return }
    if stage == .connecting || stage == .greeting { return giveUp() }
    stage = .leaving
    terminate(code: .none)
  }
}
