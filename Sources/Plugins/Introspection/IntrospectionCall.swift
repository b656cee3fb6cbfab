import Configuration
import Foreign
import HTTP
import Kernel
import PluginKit

/// The question that an issuer is asked (RFC 7662 §2.1), and what it answers.
struct IntrospectionCall {
  enum Answer {
    case active(TokenClaims)
    case inactive
    /// Nothing that could be understood, or nothing in time.
    case unavailable
  }

  private let call: ServiceCall
  private let fields: [(name: String, value: String)]
  /// What stands in the form behind the token.
  private let form: String
  private let timeout: Int

  private static let largestAnswer = 64 << 10

  /// - Returns: nil without a URL, which the settings' check has told.
  init?(_ settings: Introspection.Settings) {
    guard let url = settings.url else { return nil }
    call = ServiceCall(url, authority: settings.authority)
    timeout = settings.timeout
    var fields = [
      (name: "Host", value: url.hostField), (name: "Accept", value: "application/json"),
      (name: "Content-Type", value: "application/x-www-form-urlencoded"),
    ]
    var form = "&token_type_hint=access_token"
    let (id, secret) = (Self.encode(settings.clientID), Self.encode(settings.clientSecret?.reveal() ?? ""))
    switch settings.login {
    case .basic:
      // Both are form-encoded before they are joined (RFC 6749 §2.3.1).
      var credentials = ByteBuffer()
      Base64.append("\(id):\(secret)".utf8Span.span, to: &credentials)
      let span = credentials.span
      let value = String(decoding: Array(copying: span), as: UTF8.self)
      fields.append((name: "Authorization", value: "Basic \(value)"))
    case .post: form += "&client_id=\(id)&client_secret=\(secret)"
    }
    self.fields = fields
    self.form = form
  }

  func ask(_ token: [UInt8], _ client: any HTTPClient) async -> Answer {
    let body = "token=\(Self.encode(String(decoding: token, as: UTF8.self)))\(form)"
    let request = ClientRequest(
      method: "POST", upstream: call.upstream, target: call.url.target, headers: fields, body: Array(body.utf8),
      timeout: timeout, largestResponse: Self.largestAnswer)
    guard let answer = try? await client.send(request), answer.status == 200,
      let claims = try? TokenClaims.read(answer.body), let isActive = claims.claims["active"]?.text
    else { return .unavailable }
    // A text is no truth value (RFC 7662 §2.2), whatever it says.
    return isActive == "true" && claims.string("active") == nil ? .active(claims) : .inactive
  }

  /// As a value of a form (WHATWG URL, application/x-www-form-urlencoded).
  private static func encode(_ text: String) -> String {
    var encoded = ""
    for byte in text.utf8 {
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "*"):
        encoded.append(Character(Unicode.Scalar(byte)))
      default:
        let digits = Array("0123456789ABCDEF")
        encoded += ["%", digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return encoded
  }
}

/// Tokens that are not good, for a short time; bounded in number and size, and the oldest go first.
struct RefusedTokens {
  private var until: [SHA256Digest: Int] = [:]
  private var order: [SHA256Digest] = []
  private var next = 0
  private let capacity: Int

  init(capacity: Int) { self.capacity = capacity }

  /// - Parameter now: monotonic nanoseconds, as in `insert`.
  func contains(_ token: Span<UInt8>, now: Int) -> Bool {
    if until.isEmpty { return false }
    return until[SHA256.digest(of: token)].map { $0 > now } ?? false
  }

  mutating func insert(_ token: [UInt8], until time: Int) {
    let digest = SHA256.digest(of: token.span)
    if until.updateValue(time, forKey: digest) != nil { return }
    if order.count < capacity { return order.append(digest) }
    until[order[next]] = nil
    order[next] = digest
    next = (next + 1) % capacity
  }
}
