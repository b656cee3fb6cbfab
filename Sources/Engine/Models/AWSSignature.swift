import Configuration
import Foreign
import Kernel

/// Signs requests for Amazon Bedrock: Signature Version 4, in fields of the head.
///
/// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html)
struct AWSSignature {
  private let region: String
  private let accessKey: String
  private let secretKey: String
  private let sessionToken: String?

  /// Nil where the provider has no credentials.
  init?(_ provider: ProviderSettings) {
    guard let region = provider.region, let accessKey = provider.accessKey, let secretKey = provider.secretKey else {
      return nil
    }
    self.init(
      region: region, accessKey: accessKey.reveal(), secretKey: secretKey.reveal(),
      sessionToken: provider.sessionToken?.reveal())
  }

  init(region: String, accessKey: String, secretKey: String, sessionToken: String?) {
    self.region = region
    self.accessKey = accessKey
    self.secretKey = secretKey
    self.sessionToken = sessionToken
  }

  /// The fields that say who asks. Signed are these, `Host`, and `Content-Type: application/json`.
  ///
  /// - Parameters:
  ///   - path: as it is sent, with each segment percent-encoded once more.
  ///   - now: seconds since 1970.
  func fields(host: String, path: String, body: [UInt8], now: Int) -> [(name: String, value: String)] {
    let (date, time) = Self.timestamp(now)
    var fields: [(name: String, value: String)] = [
      ("content-type", "application/json"), ("host", host), ("x-amz-date", time),
    ]
    if let sessionToken { fields.append(("x-amz-security-token", sessionToken)) }
    let names = fields.map(\.0).joined(separator: ";")
    let lines = fields.map { "\($0.0):\($0.1)\n" }.joined()
    let request = "POST\n\(path)\n\n\(lines)\n\(names)\n\(SHA256.digest(of: body.span).hexadecimal)"
    let scope = "\(date)/\(region)/bedrock/aws4_request"
    let text = "AWS4-HMAC-SHA256\n\(time)\n\(scope)\n\(Self.digest(request))"
    var key = Array("AWS4\(secretKey)".utf8)
    for part in [date, region, "bedrock", "aws4_request"] { key = Self.code(of: part, key) }
    let signature = Self.hexadecimal(Self.code(of: text, key))
    let credential = "AWS4-HMAC-SHA256 Credential=\(accessKey)/\(scope), SignedHeaders=\(names), Signature=\(signature)"
    return fields.dropFirst(2) + [("Authorization", credential)]
  }

  /// A segment of a path with everything percent-encoded but RFC 3986's unreserved characters.
  static func encoded(_ segment: String) -> String {
    var text = ""
    for byte in segment.utf8 {
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"):
        text.unicodeScalars.append(Unicode.Scalar(byte))
      default: text += "%" + hexadecimal([byte]).uppercased()
      }
    }
    return text
  }

  /// `20261123` and `20261123T120000Z`.
  private static func timestamp(_ now: Int) -> (date: String, time: String) {
    let (year, month, day) = CalendarTime.date(of: now)
    let seconds = now % 86_400
    let date = padded(year, 4) + padded(month, 2) + padded(day, 2)
    return (date, "\(date)T\(padded(seconds / 3600, 2))\(padded(seconds / 60 % 60, 2))\(padded(seconds % 60, 2))Z")
  }

  private static func padded(_ value: Int, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }

  private static func digest(_ text: String) -> String { SHA256.digest(of: Array(text.utf8).span).hexadecimal }

  /// No code when the cryptographic library fails: the provider refuses such a signature.
  private static func code(of text: String, _ key: [UInt8]) -> [UInt8] {
    var code = ByteBuffer(capacity: HMAC.size)
    guard let hmac = HMAC(key: key), hmac.append(codeOf: Array(text.utf8).span, to: &code) else { return [] }
    let span = code.span
    return Array(copying: span)
  }

  private static func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".unicodeScalars)
    var text = ""
    for byte in bytes {
      text.unicodeScalars.append(digits[Int(byte >> 4)])
      text.unicodeScalars.append(digits[Int(byte & 15)])
    }
    return text
  }
}
