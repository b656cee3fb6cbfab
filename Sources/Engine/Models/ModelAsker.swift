import AI
import HTTP
import JSON
import Kernel
import PluginKit
import Runtime

/// Asks models for plugins on one worker: who may answer is asked one after the other, as for a client's call.
///
/// It goes over the same pools, keys and breakers; what is used counts in the same metrics, and belongs to no caller.
final class ModelAsker: ModelAsking {
  private unowned let worker: Worker
  private let models: ModelRoute

  /// An answer to a question of the gateway's own is short, a batch of vectors the longest.
  private static let longestAnswer = 4 << 20

  init(_ worker: Worker, _ models: ModelRoute) {
    self.worker = worker
    self.models = models
  }

  func ask(_ question: ModelQuestion, _ body: [UInt8], timeout: Int) async throws(Fault) -> [UInt8] {
    let asked: ModelRequest
    do throws(Refusal) { asked = try ModelRequest(.chat, body: body, operation: question.operation) } catch {
      throw .malformedCall
    }
    let choice = models.candidates(for: asked.model, &worker.random)
    let deadline = worker.loop.now + timeout
    var fault = Fault.unknownModel
    for candidate in choice.candidates {
      guard worker.loop.now < deadline else { throw .totalTimeout }
      guard
        let request = try? asked.prepare(
          for: candidate.provider.settings.back, model: candidate.model.model,
          variant: candidate.provider.variant, unsupported: .drop)
      else { continue }
      let call = ConversationCall(asked: asked.model, [candidate], choice.timeouts, request: request, id: "own")
      switch call.attempt(candidate, request, now: worker.loop.now) {
      case .refused(let reason): fault = reason
      case .begun(let pass):
        do throws(Fault) {
          let answer = try await send(call, until: deadline)
          call.tellBreaker(candidate, pass, nil, now: worker.loop.now)
          worker.metrics.observeUsage(call)
          return answer
        } catch {
          call.tellBreaker(candidate, pass, error, now: worker.loop.now)
          fault = error
        }
      }
    }
    throw fault
  }

  private func send(_ call: ConversationCall, until deadline: Int) async throws(Fault) -> [UInt8] {
    var octets = ByteBuffer(capacity: call.request.body.count + 512)
    ProviderHead.write(call, into: &octets)
    let body = call.request.body
    octets.append(body.span)
    let message = ClientMessage(
      copyOf: octets, method: .post, "POST", keeping: Self.longestAnswer, timeout: deadline - worker.loop.now)
    let response = try await ClientCall(message, to: call.provider.pool, on: worker).run()
    var out = ByteBuffer(capacity: response.body.count + 256)
    _ = call.answer.translate(response.body, status: response.status, into: &out)
    if let failure = call.answer.failure {
      var hint = RetryHint(now: Clock.wall / 1_000_000_000)
      for (name, value) in response.headers { hint.take(name.lowercased(), value) }
      call.learn(failure, hint, now: worker.loop.now)
      throw .modelsFailed
    }
    return BodyCollector.array(out)
  }
}

extension ModelQuestion {
  fileprivate var operation: PassedOperation? {
    switch self {
    case .chat: nil
    case .embeddings: .embeddings
    case .moderations: .moderations
    }
  }
}

extension WorkerMetrics {
  /// Counts what a question of the gateway's own used.
  fileprivate func observeUsage(_ call: ConversationCall) {
    call.settle(wasSent: true, clientGone: false)
    count(call.last, of: call)
  }
}
