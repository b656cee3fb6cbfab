import HTTP
import Kernel
public import PluginKit

/// Puts the bodies of answers into a content coding that the client takes.
///
/// The hook only decides; the engine encodes the body as it passes and brings out what it has whenever the upstream
/// rests, so that nobody waits for more than before.
public final class Compress: Plugin {
  private let order: [ContentCodingName]
  private let codings: [OutgoingCoding]
  private let types: [MediaTypePattern]
  private let minimum: Int
  private let counters: [PluginCounter]

  public static let metrics = [responses]

  private static let responses = PluginMetric(
    "sluice_compress_responses", .counter, labels: ["coding"], "Responses that were compressed, by content coding.")

  public init(_ settings: Settings, _ services: any WorkerServices) {
    order = settings.codings
    types = settings.types
    minimum = settings.minimum
    codings = settings.codings.map { coding in
      switch coding {
      case .gzip: .gzip(level: settings.gzipLevel)
      case .zstd: .zstd(level: settings.zstdLevel)
      }
    }
    counters = settings.codings.map { services.counter(Self.responses, [$0.rawValue]) }
  }
}

extension Compress: RequestHeadHook {
  /// Reads what the client takes before other plugins ask the upstream for an answer without a coding.
  public func onRequestHead(_ exchange: inout Exchange) -> Verdict {
    exchange.notes.set(UInt64(truncatingIfNeeded: choose(exchange.request).map { $0 + 1 } ?? 0), for: self)
    return .proceed
  }
}

extension Compress: ResponseHeadHook {
  public func onResponseHead(_ exchange: inout Exchange) {
    if tellsOfAnother(&exchange) { return varyByCoding(&exchange.response) }
    guard mayVary(&exchange) else { return }
    varyByCoding(&exchange.response)
    // A request that was refused before it came here has no note.
    let noted = exchange.notes.value(of: self).map { Int($0) - 1 }
    guard let index = noted ?? choose(exchange.request), index >= 0 else { return }
    // How long GET's body is in that coding nobody knows (RFC 9110 §8.6).
    if exchange.request.method == .head { return exchange.response.head.headers.remove(.contentLength) }
    exchange.response.coding = codings[index]
    counters[index].add()
  }

  /// Whether it has no body to say of what it is, and tells of one that may have been in a coding (RFC 9110 §15.4.5).
  private func tellsOfAnother(_ exchange: inout Exchange) -> Bool {
    exchange.response.head.status == 304 && exchange.rpc == .none && exchange.response.header(.contentEncoding) == nil
  }

  /// Whether another client would get this body in another coding.
  private func mayVary(_ exchange: inout Exchange) -> Bool {
    let status = exchange.response.head.status
    if status < 200 || status == 204 || status == 206 || status == 304 || exchange.rpc != .none { return false }
    if exchange.response.coding != nil { return false }
    guard let type = exchange.response.header(.contentType), matches(type) else { return false }
    if exchange.response.header(.contentEncoding) != nil || exchange.response.header(.contentRange) != nil {
      return false
    }
    guard length(of: exchange) >= minimum else { return false }
    var mayTransform = true
    exchange.response.head.headers.forEachValue(of: .cacheControl, in: exchange.response.source) { value in
      if FieldElements.contain(ByteScan.bytes(of: "no-transform"), in: value) { mayTransform = false }
    }
    return mayTransform
  }

  private func matches(_ type: Span<UInt8>) -> Bool {
    for pattern in types where pattern.matches(type) { return true }
    return false
  }

  /// In bytes; as long as can be where nobody has said it.
  private func length(of exchange: borrowing Exchange) -> Int {
    if exchange.response.isLocal || exchange.response.holdsBody { return exchange.response.heldCount }
    switch exchange.response.head.framing {
    case .none: return exchange.request.method == .head ? toldLength(of: exchange) : -1
    case .length(let count): return count
    case .chunked, .untilClose: return .max
    }
  }

  /// What an answer to HEAD says of GET's.
  private func toldLength(of exchange: borrowing Exchange) -> Int {
    guard let text = exchange.response.header(.contentLength) else { return .max }
    var count = 0
    for index in text.indices where count < 1 << 40 { count = count * 10 + Int(text[index] &- 0x30) }
    return count
  }

  private func choose(_ request: borrowing RequestMessage) -> Int? {
    var accepted = AcceptedCodings()
    request.head.headers.forEachValue(of: .acceptEncoding, in: request.source) { accepted.read($0) }
    return accepted.best(of: order)
  }

  private func varyByCoding(_ response: inout ResponseMessage) {
    var isNamed = false
    response.head.headers.forEachValue(of: .vary, in: response.source) { value in
      if FieldElements.contain(ByteScan.bytes(of: "accept-encoding"), in: value) { isNamed = true }
      if FieldElements.contain(ByteScan.bytes(of: "*"), in: value) { isNamed = true }
    }
    if !isNamed { response.addHeader(.vary, ByteScan.bytes(of: "Accept-Encoding")) }
  }
}
