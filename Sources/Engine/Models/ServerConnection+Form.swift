import AI
import HTTP
import Kernel
import PluginKit
import Runtime

/// Calls of models that come as a form with a file in it: only as much is held as it takes to know the model, and the rest
/// is passed as it comes.
extension ServerConnection {
  static func isForm(_ exchange: inout Exchange) -> Bool {
    guard let type = exchange.request.header(.contentType), type.count > 10 else { return false }
    return ByteScan.equalIgnoringCase(type.extracting(0..<10), ByteScan.bytes(of: "multipart/"))
  }

  func converseForm(
    _ slot: ExchangeSlot, route: WorkerRoute, models: ModelRoute, _ operation: PassedOperation
  ) async -> Bool {
    if let fault = mayConverse(slot, models, operation.front) { return await refuse(fault, slot) }
    guard HeldCoding(ofRequest: &slot.exchange) == .identity else { return await refuse(.unknownContentCoding, slot) }
    guard let reader = Self.reader(&slot.exchange) else {
      return await refuse(Refusal(nil, "The type of the form names no boundary."), operation.front, slot)
    }
    let readsAll = route.chain.readsModelTexts
    let asked: ModelRequest
    do throws(FormFailure) {
      let watch = FormWatch(reader)
      let content = try await readForm(slot, route: route, watch, readsAll ? .max : models.settings.form)
      do throws(Refusal) { asked = try ModelRequest(watch.reader, content, operation) } catch { throw .refused(error) }
    } catch {
      switch error {
      case .refused(let refusal): return await refuse(refusal, operation.front, slot)
      case .fault(let fault): return await refuse(fault, slot)
      }
    }
    return await call(slot, route: route, models: models, asked)
  }

  private enum FormFailure: Error {
    case refused(Refusal)
    case fault(Fault)
  }

  private static func reader(_ exchange: inout Exchange) -> FormReader? {
    guard let type = exchange.request.header(.contentType) else { return nil }
    return FormReader(contentType: String(decoding: type.indices.map { type[$0] }, as: UTF8.self))
  }

  /// Reads until the model is known; what has come till then.
  ///
  /// - Parameter limit: octets that may come before; `Int.max`: all of the form is read.
  private func readForm(
    _ slot: ExchangeSlot, route: WorkerRoute, _ watch: FormWatch, _ limit: Int
  ) async throws(FormFailure) -> [UInt8] {
    var content = ByteBuffer(capacity: 4096)
    if takeHeld(&slot.exchange, into: &content) {
      watch.append(content.span)
      watch.finish()
      if let mistake = watch.mistake { throw .refused(mistake) }
      slot.prefixLength = slot.upload.received
      return BodyCollector.array(content)
    }
    slot.upload.begin(slot.exchange.request.head.framing, framing: .plain, recorder: watch)
    slot.upload.limit = slot.exchange.requestBodyLimit
    slot.uploadBegan = true
    slot.lastProgress = worker.loop.now
    do throws(BodyFlow.Failure) {
      _ = try slot.upload.takePrefix(of: &slot.exchange.request.buffer, into: &content)
    } catch { throw .fault(uploadFault(error) ?? .clientGone) }
    if !slot.upload.finished, slot.exchange.request.head.expectsContinue, let fault = await sendContinue(slot) {
      throw .fault(fault)
    }
    while true {
      if let mistake = watch.mistake { throw .refused(mistake) }
      if slot.upload.sourceDone || (limit < .max && watch.reader.isSufficient) { break }
      if content.count > limit {
        if watch.reader.model != nil { break }
        throw .refused(
          Refusal("model", "`model` is not among the first \(limit) octets of the form: send it before the file."))
      }
      try await readMore(slot, route: route, watch, into: &content)
    }
    slot.account.bytesIn = slot.upload.received
    slot.account.requestComplete = slot.upload.finished
    slot.prefixLength = slot.upload.received
    if !slot.upload.finished, slot.exchange.request.head.framing == .chunked {
      var nothing = ByteBuffer(capacity: 16)
      _ = slot.upload.passOn(Span(), framing: .chunked, into: &nothing)
    }
    return BodyCollector.array(content)
  }

  private func readMore(
    _ slot: ExchangeSlot, route: WorkerRoute, _ watch: FormWatch, into content: inout ByteBuffer
  ) async throws(FormFailure) {
    let moved: Bool
    do throws(BodyFlow.Failure) {
      moved = try slot.upload.gather(
        from: socket, into: &content, limit: content.count, small: worker.smallBuffers, large: worker.largeBuffers)
    } catch { throw watch.mistake.map { .refused($0) } ?? .fault(uploadFault(error) ?? .clientGone) }
    if moved {
      slot.lastProgress = worker.loop.now
    } else if let fault = await waitForBody(slot, route: route) {
      throw .fault(fault)
    }
  }

  /// How long the body is that a provider gets; nil where its client does not say how much follows.
  func bodyLength(_ slot: ExchangeSlot, _ request: ProviderRequest) -> Int? {
    guard let prefix = request.formPrefix, !slot.exchange.request.holdsBody,
      slot.upload.received > prefix || !slot.upload.finished
    else { return request.body.count }
    guard case .length(let whole) = slot.exchange.request.head.framing else { return nil }
    return whole - prefix + request.body.count
  }
}
