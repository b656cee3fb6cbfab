import PluginKit
@testable import Engine

/// Header fields and query parameters of a request in a test.
struct Fields: RouteConditions {
  var headers: [(name: String, value: String)] = []
  var query: [(name: String, value: String)] = []

  func hasHeader(_ name: Span<UInt8>) -> Bool { headers.contains { $0.name == text(name) } }
  func hasQuery(_ name: Span<UInt8>) -> Bool { query.contains { $0.name == text(name) } }

  func hasHeader(_ name: Span<UInt8>, value: Span<UInt8>) -> Bool {
    headers.filter { $0.name == text(name) }.map(\.value) == [text(value)]
  }

  func hasQuery(_ name: Span<UInt8>, value: Span<UInt8>) -> Bool {
    query.filter { $0.name == text(name) }.map(\.value) == [text(value)]
  }
}

func text(_ bytes: Span<UInt8>) -> String {
  String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self)
}

/// A route by its paths and methods: `GET /a /b`.
func route(
  _ text: String, hosts: [String] = [], headers: [String] = [], query: [String] = [], listeners: [Int] = []
) throws -> RoutePattern {
  let words = text.split(separator: " ").map(String.init)
  return RoutePattern(
    paths: try words.filter { $0.hasPrefix("/") }.map { try PathTemplate(parsing: $0) }, hosts: hosts,
    methods: words.filter { !$0.hasPrefix("/") }, headers: headers.map(condition), query: query.map(condition),
    listeners: listeners)
}

/// `name` or `name=value`.
private func condition(_ text: String) -> RouteCondition {
  let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
  return RouteCondition(name: parts[0], value: parts.count > 1 ? parts[1] : nil)
}

/// One request of a test.
struct Call: Sendable {
  var method = "GET"
  var path = "/"
  var host = ""
  var preflight: String?
  var listener = 0
  var headers: [String: String] = [:]
  var query: [String: String] = [:]

  var fields: Fields {
    Fields(headers: headers.map { ($0.key, $0.value) }, query: query.map { ($0.key, $0.value) })
  }

  func match(_ table: borrowing RouteTable, _ parameters: inout PathParameters) -> RouteMatch {
    if let preflight {
      return table.match(
        RouteRequest(
          path: path.utf8Span.span, host: host.utf8Span.span, method: method.utf8Span.span,
          preflightMethod: preflight.utf8Span.span, listener: listener), fields, parameters: &parameters)
    }
    return table.match(
      RouteRequest(
        path: path.utf8Span.span, host: host.utf8Span.span, method: method.utf8Span.span, listener: listener), fields,
      parameters: &parameters)
  }

  func explain(_ table: borrowing RouteTable) -> [RouteExplanation] {
    if let preflight {
      return table.explain(
        RouteRequest(
          path: path.utf8Span.span, host: host.utf8Span.span, method: method.utf8Span.span,
          preflightMethod: preflight.utf8Span.span, listener: listener), fields)
    }
    return table.explain(
      RouteRequest(
        path: path.utf8Span.span, host: host.utf8Span.span, method: method.utf8Span.span, listener: listener), fields)
  }

  /// The index of the route that is taken, or nil.
  func route(in table: borrowing RouteTable) -> Int? {
    var parameters = PathParameters()
    if case .route(let route, _, _) = match(table, &parameters) { return route }
    return nil
  }

  /// The parameters that the match captured, as text.
  func parameters(in table: borrowing RouteTable) -> [String] {
    var parameters = PathParameters()
    parameters.append(90..<99)
    _ = match(table, &parameters)
    let bytes = Array(path.utf8)
    return (0..<parameters.count).map { String(decoding: bytes[parameters[$0]], as: UTF8.self) }
  }
}
