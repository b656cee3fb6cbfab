import Configuration
import HTTP
import Kernel
import PluginKit
import Runtime

/// Sends copies of a route's requests to another upstream, on one worker.
///
/// A copy is made of what the target gets, once its last byte is there, and goes out in a task of its own: the call does
/// not wait for it and does not see what becomes of it. Copies under way and their bodies are bounded; what does not fit
/// is not copied.
final class Mirror {
  private let pool: UpstreamPool
  private let limits: MirrorDraft.Limits
  private var underWay = 0

  init(_ settings: MirrorSettings, _ pools: [UpstreamPool]) {
    pool = pools[settings.upstream]
    limits = settings.limits
  }

  /// Looks at a request whose head has been encoded for its target, and begins a copy if it is chosen.
  func begin(_ slot: ExchangeSlot, on worker: Worker) {
    guard limits.share >= 1 || Double.random(in: 0..<1, using: &worker.random) < limits.share, !slot.asksWebSocket
    else { return }
    let copy = RequestCopy(self, worker, slot, most: limits.body)
    guard underWay < limits.maximum else { return copy.drop("dropped_busy") }
    if case .length(let count) = slot.exchange.request.head.framing, count > limits.body {
      return copy.drop("dropped_body")
    }
    copy.append(slot.outgoing.span, isHead: true)
    if slot.upload.finished { copy.send() } else { slot.upload.copy = copy }
  }

  fileprivate func send(_ message: consuming ClientMessage, _ copy: RequestCopy, on worker: Worker) {
    underWay += 1
    let call = ClientCall(message, to: pool, on: worker)
    worker.loop.start((self, call, copy, worker)) { (mirror, call, copy, worker) in
      do throws(Fault) {
        _ = try await call.run()
        worker.metrics.mirrored(copy.template, mirror.pool, "answered")
      } catch { worker.metrics.mirrored(copy.template, mirror.pool, "failed") }
      mirror.underWay -= 1
    }
  }

  fileprivate func count(_ copy: RequestCopy, _ outcome: String, on worker: Worker) {
    worker.metrics.mirrored(copy.template, pool, outcome)
  }
}

/// A request on its way into a mirror: the octets that its target gets, up to a limit.
final class RequestCopy {
  fileprivate let template: String
  private let mirror: Mirror
  private unowned let worker: Worker
  private let method: Method
  private let methodText: String
  private let most: Int
  private var octets = ByteBuffer(capacity: 16)
  private var bodyCount = 0
  private var isOver = false

  fileprivate init(_ mirror: Mirror, _ worker: Worker, _ slot: ExchangeSlot, most: Int) {
    self.mirror = mirror
    self.worker = worker
    self.most = most
    method = slot.exchange.request.method
    methodText = String(slot.exchange.request.methodText)
    template = slot.exchange.route?.template ?? ""
  }

  /// A request whose end never came is not sent.
  deinit { drop("dropped_incomplete") }

  func append(_ bytes: Span<UInt8>, isHead: Bool = false) {
    if isOver { return }
    if !isHead { bodyCount += bytes.count }
    if bodyCount > most { return drop("dropped_body") }
    octets.append(bytes)
  }

  /// The request is complete.
  func send() {
    if isOver { return }
    isOver = true
    var taken = ByteBuffer(capacity: 16)
    swap(&taken, &octets)
    mirror.send(ClientMessage(copyOf: taken, method: method, methodText), self, on: worker)
  }

  fileprivate func drop(_ why: String) {
    if isOver { return }
    isOver = true
    octets = ByteBuffer(capacity: 16)
    mirror.count(self, why, on: worker)
  }
}
