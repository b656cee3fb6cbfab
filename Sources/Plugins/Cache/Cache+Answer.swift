import HTTP
import Kernel
public import PluginKit

extension Cache: AnswerHook {
  public func onAnswer(_ exchange: inout Exchange) -> Bool {
    guard let call = call(of: exchange) else { return false }
    let status = exchange.response.head.status
    if !call.mayStore {
      if (200..<400).contains(status) { invalidate(call, exchange) }
      return false
    }
    if call.fellBack {
      count(.miss, &exchange)
      return false
    }
    if status == 304, let stale = call.stale { return confirm(stale, call, &exchange) }
    if status >= 500, let stale = call.stale, stale.freshness.coversErrors(at: services.now, call.directives) {
      release(call)
      serve(stale, .stale, isHeld: call.isHeld, &exchange)
      return true
    }
    count(.miss, &exchange)
    record(call, &exchange)
    return false
  }

  public func onFailure(_ fault: Fault, _ exchange: inout Exchange) -> Bool {
    guard let call = call(of: exchange), let stale = call.stale,
      stale.freshness.coversErrors(at: services.now, call.directives)
    else { return false }
    release(call)
    serve(stale, .stale, isHeld: call.isHeld, &exchange)
    return true
  }

  /// A fallback upstream gets no condition of ours: it could say of another one's answer that it is still true.
  public func onFallback(_ exchange: inout Exchange) -> Bool {
    guard let call = call(of: exchange), call.mayStore else { return false }
    call.fellBack = true
    release(call)
    if call.stale == nil { return false }
    askAnew(&exchange.request, nil)
    return true
  }

  /// What is stored of a resource goes when it has changed, and so does what the answer says the change was about
  /// (RFC 9111 §4.4).
  private func invalidate(_ call: CacheCall, _ exchange: borrowing Exchange) {
    store.invalidate(call.key.resourceHash)
    invalidate(exchange.response.header(.location), exchange)
    invalidate(exchange.response.header(named: "content-location"), exchange)
  }

  private func invalidate(_ reference: Span<UInt8>?, _ exchange: borrowing Exchange) {
    guard let reference, key.read(reference, of: exchange, seed: store.seed) else { return }
    store.invalidate(key.resourceHash)
  }

  /// The upstream says that what is stored is still true: it is fresh again, with what the 304 says anew.
  private func confirm(_ stale: CachedAnswer, _ call: CacheCall, _ exchange: inout Exchange) -> Bool {
    var traits = Self.traits(exchange.response)
    traits.readRest(of: stale)
    let freshness = freshness(traits, stale.status, call)
    let answer = CachedAnswer(
      status: stale.status, traits, freshness, body: stale.body, vary: stale.vary, varied: stale.varied)
    if traits.mayBeStored(stale.status, isAuthorized: call.isAuthorized, freshness) {
      insert(answer, call)
    } else {
      store.remove(call.key)
    }
    release(call)
    serve(answer, .revalidated, isHeld: call.isHeld, &exchange)
    return true
  }

  /// Keeps the answer if that may be done, as it passes.
  private func record(_ call: CacheCall, _ exchange: inout Exchange) {
    let status = exchange.response.head.status
    let traits = Self.traits(exchange.response)
    let freshness = freshness(traits, status, call)
    let length: Int?
    switch exchange.response.head.framing {
    case .none: length = 0
    case .length(let count): length = count
    case .chunked: length = nil
    // Whether it is whole nobody can tell.
    case .untilClose: length = .max
    }
    guard traits.mayBeStored(status, isAuthorized: call.isAuthorized, freshness), length ?? 0 <= settings.object,
      traits.size <= settings.object
    else { return decline(call, traits, status) }
    // Hooks that read the body have the engine ask for it without a coding.
    let isPlain = call.namesCodings && !exchange.request.head.headers.contains(.acceptEncoding)
    let vary = traits.choice(isPlain: isPlain)
    let varied = vary.map { name -> [UInt8]? in
      VariedField.read(name, of: exchange.request, into: &scratch) ? Self.array(scratch) : nil
    }
    call.isStored = true
    exchange.response.recorder = AnswerRecorder(limit: settings.object, expected: length) { [weak self] content in
      guard let self else { return }
      let answer = CachedAnswer(
        status: status, traits, freshness, body: StoredBody(content), vary: vary, varied: varied)
      self.insert(answer, call)
      self.release(call)
    }
  }

  private static func array(_ buffer: borrowing ByteBuffer) -> [UInt8] { buffer.span.indices.map { buffer.span[$0] } }

  /// Those who wait fetch for themselves, and for a while nobody waits for this.
  private func decline(_ call: CacheCall, _ traits: AnswerTraits, _ status: Int) {
    if status < 500 {
      store.pass(call.key, until: services.now + Self.passTime)
      // What is stored is no longer what the origin says.
      if call.stale != nil { store.remove(call.key) }
    }
    release(call)
  }

  private static let passTime = 5_000_000_000

  private static func traits(_ response: borrowing ResponseMessage) -> AnswerTraits {
    var traits = AnswerTraits()
    response.head.headers.forEachForwarded(in: response.source) { name, value in traits.read(name, value) }
    return traits
  }
}

extension Cache: ResponseHeadHook {
  public func onResponseHead(_ exchange: inout Exchange) {
    guard !exchange.response.isLocal, let call = call(of: exchange) else { return }
    scratch.removeAll()
    scratch.append(call.forwarded)
    if call.isStored { scratch.append("; stored") }
    Self.addStatus(scratch, to: &exchange.response)
  }
}
