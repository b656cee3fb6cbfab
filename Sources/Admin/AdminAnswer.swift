import HTTP
import JSON
import Kernel
import PluginKit

/// An answer of the admin port.
struct AdminAnswer: ~Copyable {
  var status = 200
  var contentType: String
  var body: ByteBuffer
  var fields: [String: String] = [:]

  init(json: consuming JSONWriter, status: Int = 200) {
    var json = json
    json.endLine()
    self.status = status
    contentType = "application/json"
    body = ByteBuffer(capacity: json.buffer.count)
    body.append(json.buffer.span)
  }

  init(text: String, status: Int = 200) {
    self.status = status
    contentType = "text/plain; charset=utf-8"
    body = ByteBuffer(capacity: text.utf8.count)
    body.append(text)
  }

  init(page: consuming ByteBuffer, contentType: String) {
    self.contentType = contentType
    body = page
  }

  /// A problem as all refusals of the gateway are told (RFC 9457).
  init(_ problem: AdminProblem, id: String) {
    var json = JSONWriter()
    json.object {
      $0.member("type", "about:blank")
      $0.member("title", "\(Status.reason(problem.status))")
      $0.member("status", problem.status)
      $0.member("detail", problem.detail)
      $0.member("code", problem.code)
      $0.member("request_id", id)
    }
    self.init(json: json, status: problem.status)
    contentType = "application/problem+json"
    fields = problem.fields
  }

  /// Makes it the exchange's response.
  func send(in exchange: inout Exchange) {
    exchange.response.begin(status: status)
    exchange.response.addHeader("Content-Type", contentType)
    exchange.response.addHeader("Cache-Control", "no-store")
    exchange.response.addHeader("X-Content-Type-Options", "nosniff")
    for (name, value) in fields.sorted(by: { $0.key < $1.key }) { exchange.response.addHeader(name, value) }
    exchange.response.body.append(body.span)
  }
}
