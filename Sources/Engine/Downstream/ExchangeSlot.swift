import HTTP
import Kernel
import PluginKit

/// The memory of one exchange on a worker: leased when a request's first byte arrives, returned when it is over.
///
/// Idle connections hold none, and arrays and buffers keep their capacity from one exchange to the next, so that a
/// request allocates nothing once the worker is warm.
final class ExchangeSlot {
  var exchange = Exchange()
  var requestDecoder: RequestDecoder
  var responseDecoder: ResponseDecoder
  /// What goes to the target: the head, and the part of the body that was there with the client's head.
  var outgoing = ByteBuffer(capacity: 2048)
  /// How much of `outgoing` this attempt has sent.
  var outgoingSent = 0
  /// What goes to the client: the head, and the part of the body that was there with the target's head.
  var reply = ByteBuffer(capacity: 2048)
  var replySent = 0
  /// How much of the response's stored body has been sent behind `reply`.
  var storedSent = 0
  /// Whether an upstream's answer was put aside that may not have been read to its end.
  var hasDroppedAnswer = false
  /// The request's body from client to target, and the response's the other way.
  var upload: BodyFlow
  var download: BodyFlow
  /// How the answer's body is wanted that is gathered for hooks; nil while it is not.
  var holding: BodyWish?
  /// What this call has tried, and what it may still try.
  var history = AttemptHistory()
  var retries = RetryAllowance()
  /// When the attempt at hand began.
  var attemptBegan = 0
  /// How much of the request's content came along with its head and stands in `outgoing`.
  var prefixLength = 0
  var uploadBegan = false
  /// Whether the caller speaks gRPC-Web and the target gRPC.
  var translatesGRPCWeb = false
  /// Until when a gRPC caller waits for the whole call.
  var callerDeadline = Int.max
  /// Whether the request asks to speak WebSocket on the connection.
  var asksWebSocket = false
  /// Which path of the route matched.
  var path = 0
  /// The route and what this worker compiled for it.
  var route: WorkerRoute?
  /// Whether the client's connection can carry another exchange.
  var keepsConnection = false
  /// The call of a model, on routes that have them.
  var conversation: ConversationCall?
  /// What goes to a provider as it is, on routes with models.
  var pass: ProviderPass?
  /// The call of a prompt, on routes that have one.
  var prompt: PromptCall?
  /// What the record of the call needs beside the exchange.
  var account = CallAccount()
  /// When bytes last moved, either way.
  var lastProgress = 0

  /// Which of the worker's limits it was made with.
  let generation: Int

  init(limits: HTTPLimits, responseLimits: HTTPLimits, generation: Int) {
    self.generation = generation
    requestDecoder = RequestDecoder(limits: limits)
    responseDecoder = ResponseDecoder(limits: responseLimits)
    upload = BodyFlow(limits: limits)
    download = BodyFlow(limits: responseLimits)
  }

  func reset() {
    exchange.reset()
    requestDecoder.reset()
    responseDecoder.reset()
    Self.forget(&outgoing)
    outgoingSent = 0
    Self.forget(&reply)
    replySent = 0
    storedSent = 0
    hasDroppedAnswer = false
    holding = nil
    upload.reset()
    download.reset()
    account = CallAccount()
    history.reset()
    prefixLength = 0
    uploadBegan = false
    asksWebSocket = false
    callerDeadline = .max
    translatesGRPCWeb = false
    if conversation != nil { conversation = nil }
    if prompt != nil { prompt = nil }
    if pass != nil { pass = nil }
    route = nil
    keepsConnection = false
  }

  /// Memory of a large body is not kept.
  private static func forget(_ buffer: inout ByteBuffer) {
    if buffer.capacity > 128 << 10 { buffer = ByteBuffer(capacity: 2048) } else { buffer.removeAll() }
  }

  /// Gives up what is not needed while the exchange is a tunnel: the heads stay for its record.
  func keepHeadsOnly(_ pool: BufferPool) {
    exchange.request.buffer.truncate(to: 0)
    exchange.request.buffer.shrink(returningTo: pool)
    exchange.response.buffer.truncate(to: 0)
    exchange.response.buffer.shrink(returningTo: pool)
    outgoing = ByteBuffer(capacity: 16)
    reply = ByteBuffer(capacity: 16)
  }

  /// Gives up the room behind the heads while a model talks, which takes long and needs none of it.
  func keepHeadsInStream(_ pool: BufferPool) {
    if exchange.request.buffer.isEmpty { exchange.request.buffer.shrink(returningTo: pool) }
    if exchange.response.buffer.isEmpty { exchange.response.buffer.shrink(returningTo: pool) }
  }

  /// Gives every block back to the worker's pools.
  func returnBuffers(small: BufferPool, large: BufferPool) {
    exchange.request.buffer.return(to: small)
    exchange.response.buffer.return(to: small)
    upload.returnBuffer(small: small, large: large)
    download.returnBuffer(small: small, large: large)
  }
}

/// Counts and names of one call that no message holds.
struct CallAccount {
  /// Bytes of bodies.
  var bytesIn = 0
  var bytesOut = 0
  /// The part of `bytesOut` that was heads, until the exchange ends and they are taken off.
  var headBytesOut = 0
  var attempts = 0
  /// The status that the client was sent; 0 when none was.
  var status = 0
  /// The last target tried.
  var target: TargetPool?
  var upstream: UpstreamPool?
  /// Whether the call went the fallback's way.
  var fellBack = false
  /// Whether the response has begun: from then on a fault can only cut it.
  var responseBegan = false
  /// The answer is the gateway's own.
  var isAnsweredHere = false
  /// Whether the request's body has been read to its end.
  var requestComplete = false
  /// Whether the client left before the answer was complete.
  var clientGone = false
  /// How a gRPC call ended, by its own code.
  var rpcStatus: Int?
  /// Who ended a tunnel, and with which close code.
  var closedBy: Tunnel.Side?
  var closeCode: Int?
}
