import HTTP
import Kernel
import PluginKit

/// The query of a request that is passed to a provider.
enum PassedQuery {
  /// As it was sent, but for what plugins took out of it: a key stays here.
  static func text(_ exchange: inout Exchange, without name: String? = nil) -> String {
    var left = ByteBuffer(capacity: 64)
    if exchange.forwardedQuery != nil {
      append(exchange.forwardedQuery, without: name, to: &left)
    } else {
      append(exchange.query, without: name, to: &left)
    }
    let span = left.span
    return String(decoding: Array(copying: span), as: UTF8.self)
  }

  private static func append(_ query: borrowing ByteBuffer?, without name: String?, to out: inout ByteBuffer) {
    switch query {
    case .some(let query): append(query.span, without: name, to: &out)
    case .none: break
    }
  }

  private static func append(_ query: Span<UInt8>, without name: String?, to out: inout ByteBuffer) {
    guard let name else { return out.append(query) }
    QueryParameters.append(query, without: name.utf8Span.span, to: &out)
  }

  /// The model that is named once.
  static func model(_ exchange: inout Exchange) -> String? {
    let name = ByteScan.bytes(of: "model")
    guard QueryParameters.count(name, in: exchange.query) == 1,
      let range = QueryParameters.first(name, in: exchange.query)
    else { return nil }
    var text = ByteBuffer(capacity: 64)
    PercentEncoding.append(decoding: exchange.query.extracting(range), form: true, to: &text)
    let span = text.span
    return span.isEmpty ? nil : String(decoding: Array(copying: span), as: UTF8.self)
  }

  static func encoded(_ text: String) -> String {
    var out = ByteBuffer(capacity: 64)
    PercentEncoding.append(encoding: text.utf8Span.span, to: &out)
    let span = out.span
    return String(decoding: Array(copying: span), as: UTF8.self)
  }
}
