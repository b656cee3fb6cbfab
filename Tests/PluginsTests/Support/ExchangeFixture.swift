import HTTP
import Kernel
import PluginKit

/// An exchange made from bytes, as a worker hands it to hooks; no socket is needed.
///
/// Its messages hold real buffers and decoded heads, so that an edit which would break a real exchange breaks here.
struct ExchangeFixture: ~Copyable {
  var exchange = Exchange()
  private let pool = BufferPool(blockSize: 16 << 10, keep: 4)
  private var kept = ByteBuffer()

  /// - Parameter request: a whole head; lines may end in LF alone.
  init(_ request: String = "GET / HTTP/1.1\nHost: example.com\n\n") throws(HTTPError) {
    exchange.request.buffer.lease(from: pool)
    _ = exchange.request.buffer.append(Self.wire(request).span)
    let length = try Self.decode(exchange.request.buffer, into: &exchange.request.head)
    exchange.request.buffer.advance(length)
  }

  /// Lets an upstream answer with this head.
  mutating func receive(_ response: String) throws(HTTPError) {
    exchange.response.head.reset()
    exchange.response.isLocal = false
    exchange.response.buffer.lease(from: pool)
    exchange.response.buffer.removeAll()
    _ = exchange.response.buffer.append(Self.wire(response).span)
    let length = try Self.decode(
      exchange.response.buffer, into: &exchange.response.head, answering: exchange.request.method)
    exchange.response.buffer.advance(length)
  }

  /// Lets the request's body be held for hooks.
  mutating func hold(_ body: String) {
    exchange.request.holdsBody = true
    exchange.request.body.removeAll()
    exchange.request.body.append(body.utf8Span.span)
  }

  /// Lets the answer's body be held for hooks.
  mutating func holdAnswer(_ body: String) {
    exchange.response.holdsBody = true
    exchange.response.body.removeAll()
    exchange.response.body.append(body.utf8Span.span)
  }

  var body: String { Self.text(exchange.request.body.span) }
  var answerBody: String { Self.text(exchange.response.body.span) }
  var faultMembers: String { Self.text(exchange.faultMembers.span) }

  private static func text(_ bytes: Span<UInt8>) -> String {
    String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self)
  }

  /// Lets the gateway answer by itself, as it does for a fault.
  mutating func refuse(_ fault: Fault) {
    exchange.fault = fault
    exchange.response.begin(status: fault.status)
    exchange.response.addHeader("X-Fault", fault.origin.rawValue)
  }

  /// The fields that the upstream gets, but for those that the gateway writes after every plugin.
  var forwarded: [String] { Self.lines(of: exchange.request.head.headers, from: exchange.request.source) }

  /// The fields that the client gets, with the same exception.
  var answered: [String] { Self.lines(of: exchange.response.head.headers, from: exchange.response.source) }

  private static func lines(of headers: borrowing HeaderBlock, from source: Span<UInt8>) -> [String] {
    var out = ByteBuffer()
    headers.write(from: source, into: &out)
    var lines: [String] = []
    var line: [UInt8] = []
    for index in out.span.indices {
      if out.span[index] == UInt8(ascii: "\n") {
        lines.append(String(decoding: line, as: UTF8.self))
        line = []
      } else if out.span[index] != UInt8(ascii: "\r") {
        line.append(out.span[index])
      }
    }
    return lines
  }

  private static func wire(_ text: String) -> [UInt8] {
    Array(text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n").utf8)
  }

  private static func decode(
    _ buffer: borrowing IOBuffer, into head: inout RequestHead
  ) throws(HTTPError) -> Int {
    var decoder = RequestDecoder(limits: HTTPLimits())
    guard try decoder.decode(buffer.readable, into: &head) else { throw .truncatedMessage }
    return head.length
  }

  private static func decode(
    _ buffer: borrowing IOBuffer, into head: inout ResponseHead, answering method: Method
  ) throws(HTTPError) -> Int {
    var decoder = ResponseDecoder(limits: HTTPLimits())
    guard try decoder.decode(buffer.readable, into: &head, answering: method) else { throw .truncatedMessage }
    return head.length
  }
}

/// A worker of which time stands still, and that knows no upstream.
final class StillWorker: WorkerServices, HTTPClient {
  var now = 0
  var consumers = ConsumerDirectory.none
  var client: any HTTPClient { self }
  private(set) var scheduled: [(at: Int, action: () -> Void)] = []

  /// What plugins would do in the background.
  private(set) var started: [() async -> Void] = []
  private(set) var slept: [Int] = []

  func start(_ body: @escaping () async -> Void) { started.append(body) }
  func sleep(_ nanoseconds: Int) async throws(CancellationError) {
    slept.append(nanoseconds)
    now += nanoseconds
  }

  func after(_ nanoseconds: Int, _ action: @escaping () -> Void) { scheduled.append((now + nanoseconds, action)) }
  /// What plugins counted, as `NAME[LABELS]`.
  private(set) var counters: [String: PluginCounter] = [:]
  func counter(_ metric: PluginMetric, _ labels: [String]) -> PluginCounter {
    precondition(labels.count == metric.labels.count)
    let key = metric.name + "\(labels)"
    let counter = counters[key] ?? PluginCounter()
    counters[key] = counter
    return counter
  }

  /// The counters that are not zero, by their labels.
  func counted(_ metric: String) -> [String: Int] {
    var found: [String: Int] = [:]
    for (key, counter) in counters where key.hasPrefix(metric + "[") && counter.value != 0 {
      found[String(key.dropFirst(metric.count))] = counter.value
    }
    return found
  }

  /// What `store: shared` means.
  var shared: (any SharedStore)?
  func store(_ name: String) -> (any SharedStore)? { shared }

  func send(_ request: ClientRequest) async throws(Fault) -> ClientResponse { throw .unknownUpstream }
}
