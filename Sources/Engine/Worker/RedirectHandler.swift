import HTTP
import Kernel
import PluginKit

/// Sends the client elsewhere: to a fixed place, or to one that is made of the request's host and path.
final class RedirectHandler: Handler {
  private let status: Int
  private let pieces: [RedirectLocation.Piece]

  init(_ settings: RedirectSettings) {
    status = settings.status
    pieces = RedirectLocation.pieces(of: settings.location)
  }

  func handle(_ exchange: inout Exchange) async -> Verdict {
    var location = ByteBuffer(capacity: 256)
    for piece in pieces {
      switch piece {
      case .text(let text): location.append(text)
      case .host:
        if exchange.host.isEmpty { return .fail(.noHostToRedirect) }
        Self.appendHost(exchange, to: &location)
      case .path: Self.appendPath(exchange, to: &location)
      }
    }
    exchange.response.begin(status: status)
    exchange.response.addHeader(.location, location.span)
    return .respond
  }

  private static func appendHost(_ exchange: borrowing Exchange, to out: inout ByteBuffer) {
    let host = exchange.host
    out.append(host.extracting(HostName.range(in: host)))
  }

  private static func appendPath(_ exchange: borrowing Exchange, to out: inout ByteBuffer) {
    out.append(exchange.path)
    guard exchange.request.head.hasQuery else { return }
    out.append("?")
    out.append(exchange.query)
  }
}

/// `https://{host}{path}`: text, and what the request says.
enum RedirectLocation {
  enum Piece: Equatable {
    case text(String)
    /// Without a port.
    case host
    /// With the query.
    case path
  }

  static func pieces(of location: String) -> [Piece] {
    var pieces: [Piece] = []
    var rest = location[...]
    while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
      if open > rest.startIndex { pieces.append(.text(String(rest[..<open]))) }
      pieces.append(rest[open...close] == "{host}" ? .host : .path)
      rest = rest[rest.index(after: close)...]
    }
    if !rest.isEmpty { pieces.append(.text(String(rest))) }
    return pieces
  }

  /// Whether braces stand only around the words that mean something.
  static func isWellFormed(_ location: String) -> Bool {
    let plain = location.replacing("{host}", with: "").replacing("{path}", with: "")
    return !plain.contains("{") && !plain.contains("}")
  }
}
