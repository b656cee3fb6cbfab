import HTTP
import JSON
import Kernel

/// A request to a demo backend, as text.
struct DemoRequest {
  let method: String
  let path: String
  let query: String
  let minorVersion: Int
  let keepsAlive: Bool
  let fields: [(name: String, value: String)]
  var body: [UInt8] = []

  init(_ head: borrowing RequestHead, in bytes: Span<UInt8>) {
    method = Self.text(head.methodRange.bytes(in: bytes))
    path = Self.text(head.pathRange.bytes(in: bytes))
    query = Self.text(head.queryRange.bytes(in: bytes))
    minorVersion = Int(head.minorVersion)
    keepsAlive = head.keepAlive
    fields = Self.text(bytes.extracting(0..<head.length)).split(separator: "\r\n").dropFirst().compactMap { line in
      guard let colon = line.firstIndex(of: ":") else { return nil }
      let value = line[line.index(after: colon)...].drop { $0 == " " }
      return (String(line[..<colon]), String(value))
    }
  }

  /// The milliseconds that `ms=` in the query asks for.
  var milliseconds: Int? {
    query.split(separator: "&").first { $0.hasPrefix("ms=") }.flatMap { Int($0.dropFirst(3)) }
  }

  private static func text(_ bytes: Span<UInt8>) -> String {
    String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self)
  }
}

/// What a demo backend answers.
struct DemoAnswer {
  var status = 200
  var contentType = "application/json"
  var fields: [(String, String)] = []
  var body = ""
  /// Instead of `body`, one after the other.
  var chunks: [String] = []
  var chunkDelay = 0
  /// Nanoseconds before the answer begins.
  var delay = 0

  init(_ status: Int = 200, json: consuming JSONWriter) {
    var json = json
    json.endLine()
    self.status = status
    body = json.text
  }

  init(_ status: Int = 200, text: String) {
    self.status = status
    contentType = "text/plain; charset=utf-8"
    body = text
  }
}

/// What a demo server answers with.
protocol DemoService: AnyObject {
  var name: String { get }
  func answer(to request: DemoRequest) -> DemoAnswer
}

/// A small feedback service with a few paths that misbehave on purpose.
final class DemoBackend: DemoService {
  let name: String
  private let store: DemoStore
  /// Whether `/flaky` fails here: so one of two targets does, and a retry on the other helps.
  private let isFlaky: Bool

  private static let longestDelay = 30_000

  init(_ name: String, _ store: DemoStore, isFlaky: Bool = false) {
    self.name = name
    self.store = store
    self.isFlaky = isFlaky
  }

  func answer(to request: DemoRequest) -> DemoAnswer {
    let isRead = request.method == "GET" || request.method == "HEAD"
    switch (request.path, isRead) {
    case ("/healthz", true): return DemoAnswer(text: "ok\n")
    case ("/v1/feedback", true): return DemoAnswer(json: store.list())
    case ("/v1/feedback", _) where request.method == "POST": return create(request)
    case ("/slow", true): return slow(request)
    case ("/fail", _): return DemoAnswer(500, text: "\(name) fails\n")
    case ("/flaky", _):
      return isFlaky ? DemoAnswer(503, text: "\(name) is busy\n") : DemoAnswer(text: "\(name) is well\n")
    case ("/stream", true): return stream()
    case ("/echo", _): return echo(request)
    default: break
    }
    let parts = request.path.split(separator: "/", omittingEmptySubsequences: false)
    if isRead, parts.count == 4, request.path.hasPrefix("/v1/feedback/"), let id = Int(parts[3]) {
      return store.has(id) ? DemoAnswer(json: store.item(id)) : DemoAnswer(404, text: "there is no feedback \(id)\n")
    }
    if isRead, name == "reports" { return report(request) }
    return DemoAnswer(404, text: "\(name) has no \(request.method) \(request.path)\n")
  }

  private func create(_ request: DemoRequest) -> DemoAnswer {
    let text = String(decoding: request.body, as: UTF8.self)
    if text.isEmpty { return DemoAnswer(422, text: "send a body\n") }
    let id = store.add(text, takenBy: name)
    var answer = DemoAnswer(201, json: store.item(id))
    answer.fields.append(("Location", "/v1/feedback/\(id)"))
    return answer
  }

  private func slow(_ request: DemoRequest) -> DemoAnswer {
    let milliseconds = min(max(0, request.milliseconds ?? 1000), Self.longestDelay)
    var answer = DemoAnswer(text: "\(name) took \(milliseconds) ms\n")
    answer.delay = milliseconds * 1_000_000
    return answer
  }

  private func stream() -> DemoAnswer {
    var answer = DemoAnswer(text: "")
    answer.chunks = (1...5).map { "\(name): part \($0) of 5\n" }
    answer.chunkDelay = 200_000_000
    return answer
  }

  private func report(_ request: DemoRequest) -> DemoAnswer {
    var json = JSONWriter()
    json.object {
      $0.member("report", request.path)
      $0.member("feedback", store.count)
    }
    return DemoAnswer(json: json)
  }

  /// Says what arrived, to show what the gateway makes of a request.
  private func echo(_ request: DemoRequest) -> DemoAnswer {
    var json = JSONWriter()
    json.object {
      $0.member("backend", name)
      $0.member("method", request.method)
      $0.member("path", request.path)
      $0.member("query", request.query)
      $0.object("headers") { for field in request.fields { $0.member(field.name, field.value) } }
      $0.member("body", String(decoding: request.body, as: UTF8.self))
    }
    return DemoAnswer(json: json)
  }
}

/// What was sent to the demo backends: the last so many, in memory, the same for all of them.
final class DemoStore {
  private var items: [(id: Int, text: String, takenBy: String)] = []
  private var last = 0
  private static let capacity = 1000

  init() { _ = add("Sluice keeps my gateway fast.", takenBy: "demo") }

  var count: Int { items.count }

  func add(_ text: String, takenBy name: String) -> Int {
    last += 1
    items.append((last, text, name))
    if items.count > Self.capacity { items.removeFirst(items.count - Self.capacity) }
    return last
  }

  func has(_ id: Int) -> Bool { items.contains { $0.id == id } }

  /// One that is there.
  func item(_ id: Int) -> JSONWriter {
    var json = JSONWriter()
    for item in items where item.id == id { write(item, to: &json) }
    return json
  }

  /// The newest fifty.
  func list() -> JSONWriter {
    var json = JSONWriter()
    json.object {
      $0.member("total", items.count)
      $0.array("feedback") { for item in items.suffix(50).reversed() { write(item, to: &$0) } }
    }
    return json
  }

  private func write(_ item: (id: Int, text: String, takenBy: String), to json: inout JSONWriter) {
    json.object {
      $0.member("id", item.id)
      $0.member("content", item.text)
      $0.member("taken_by", item.takenBy)
    }
  }
}
