public import Kernel

/// What the gRPC protocol says over HTTP, as an intermediary needs it: who speaks it, how long a call may take, and
/// how it ended.
public enum GRPC {
  /// How a caller speaks gRPC, by its content type.
  public enum Dialect: UInt8, Sendable {
    case none
    case native
    /// gRPC-Web: trailers are the body's last frame.
    case web
    /// The same in base64.
    case webText

    /// The content type of an answer that has no message.
    public var contentType: StaticString {
      switch self {
      case .none, .native: "application/grpc"
      case .web: "application/grpc-web+proto"
      case .webText: "application/grpc-web-text+proto"
      }
    }
  }

  /// The largest status code that is defined.
  public static let lastStatus = 16

  public static func dialect(of contentType: Span<UInt8>) -> Dialect {
    let names: InlineArray<3, (StaticString, Dialect)> = [
      ("application/grpc-web-text", .webText), ("application/grpc-web", .web), ("application/grpc", .native),
    ]
    for index in names.indices {
      let name = ByteScan.bytes(of: names[index].0)
      guard contentType.count >= name.count,
        ByteScan.equalIgnoringCase(contentType.extracting(0..<name.count), name)
      else { continue }
      if contentType.count == name.count { return names[index].1 }
      let next = contentType[name.count]
      if next == UInt8(ascii: "+") || next == UInt8(ascii: ";") || next == 0x20 { return names[index].1 }
    }
    return .none
  }

  /// Nanoseconds that a `grpc-timeout` grants: at most eight digits and a unit; nil when it is none.
  public static func timeout(_ text: Span<UInt8>) -> Int? {
    guard (2...9).contains(text.count), let count = decimal(text.extracting(0..<text.count - 1)) else { return nil }
    let unit: Int
    switch text[text.count - 1] {
    case UInt8(ascii: "H"): unit = 3_600_000_000_000
    case UInt8(ascii: "M"): unit = 60_000_000_000
    case UInt8(ascii: "S"): unit = 1_000_000_000
    case UInt8(ascii: "m"): unit = 1_000_000
    case UInt8(ascii: "u"): unit = 1_000
    case UInt8(ascii: "n"): unit = 1
    default: return nil
    }
    // Eight digits of hours are beyond any clock: longer than a year is as good as for ever.
    let (product, overflows) = count.multipliedReportingOverflow(by: unit)
    return overflows ? longest : min(product, longest)
  }

  private static let longest = 366 * 24 * 3_600_000_000_000

  /// The number in a `grpc-status`; nil when it is none.
  public static func status(_ text: Span<UInt8>) -> Int? {
    (1...3).contains(text.count) ? decimal(text) : nil
  }

  private static func decimal(_ text: Span<UInt8>) -> Int? {
    var value = 0
    for index in text.indices {
      let digit = text[index] &- 0x30
      if digit > 9 { return nil }
      value = value * 10 + Int(digit)
    }
    return value
  }

  /// The status that a failure of the gateway's has for a gRPC caller.
  ///
  /// As gRPC maps the statuses of proxies, but for three that it knows a closer word for: 429 says that something is
  /// exhausted, 408 and 504 that a deadline was.
  public static func status(ofHTTP status: Int) -> Int {
    switch status {
    case 400, 414, 417, 426, 431, 500: 13
    case 401: 16
    case 403: 7
    case 404, 405, 501: 12
    case 408, 504: 4
    case 413, 429: 8
    case 499: 1
    case 502, 503: 14
    default: 2
    }
  }

  /// Appends text as `grpc-message` has it: everything but visible ASCII percent-encoded.
  public static func appendMessage(_ text: Span<UInt8>, to out: inout ByteBuffer) {
    for index in text.indices {
      if text[index] < 0x20 || text[index] > 0x7e || text[index] == UInt8(ascii: "%") {
        out.append(UInt8(ascii: "%"))
        out.append(hexadecimal: UInt64(text[index]), digits: 2)
      } else {
        out.append(text[index])
      }
    }
  }
}
