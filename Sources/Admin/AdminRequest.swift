import HTTP
import Kernel
import PluginKit

/// What the admin port reads of a request, as text: it serves people, not traffic.
struct AdminRequest {
  let method: String
  let path: String
  let id: String
  let claim: AdminAccess.Claim
  /// What `Accept` says; empty when nothing.
  let accept: String
  private let parameters: [(name: String, value: String)]

  init(_ exchange: borrowing Exchange) {
    method = String(copying: exchange.request.methodText)
    path = String(copying: exchange.path)
    id = String(copying: exchange.id.span)
    accept = Self.field("accept", of: exchange)?.lowercased() ?? ""
    parameters = Self.parameters(of: String(copying: exchange.query))
    claim = AdminAccess.Claim(
      peerIsLoopback: exchange.peer.isLoopback, host: String(copying: exchange.host),
      origin: Self.field("origin", of: exchange), fetchSite: Self.field("sec-fetch-site", of: exchange),
      authorization: Self.field("authorization", of: exchange))
  }

  var isRead: Bool { method == "GET" || method == "HEAD" }

  /// Whether text is wanted instead of JSON.
  var wantsText: Bool { accept.hasPrefix("text/plain") }

  /// The first parameter of the query with this name.
  func parameter(_ name: String) -> String? { parameters.first { $0.name == name }?.value }

  func allParameters(_ name: String) -> [String] { parameters.filter { $0.name == name }.map(\.value) }

  /// A whole number from the query, kept within a range; nil when it is none.
  func number(_ name: String, default value: Int, in range: ClosedRange<Int>) -> Int? {
    guard let text = parameter(name) else { return value }
    return Int(text).map { min(max($0, range.lowerBound), range.upperBound) }
  }

  private static func field(_ name: String, of exchange: borrowing Exchange) -> String? {
    guard let value = exchange.request.header(named: name) else { return nil }
    return String(copying: value)
  }

  private static func parameters(of query: String) -> [(name: String, value: String)] {
    query.split(separator: "&").map { pair in
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return (decoded(parts[0]), parts.count > 1 ? decoded(parts[1]) : "")
    }
  }

  /// Percent-encoding and `+` undone; what is no encoding stays.
  private static func decoded(_ text: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "+") {
        bytes.append(UInt8(ascii: " "))
      } else if byte == UInt8(ascii: "%"), let value = octet(rest.prefix(2)) {
        bytes.append(value)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// What two hexadecimal digits say; nil when they are none.
  private static func octet(_ digits: Substring.UTF8View) -> UInt8? {
    let values = digits.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
    return values.count == 2 ? UInt8(values[0] << 4 | values[1]) : nil
  }
}

extension String {
  /// Bytes as text; what is not UTF-8 becomes U+FFFD.
  init(copying bytes: Span<UInt8>) { self.init(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self) }
}
