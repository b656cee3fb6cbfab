import Configuration
import Foreign
public import HTTP
import Kernel
public import PluginKit

/// Knows consumers by the signature of the whole request (RFC 9421), made with a secret that they share.
///
/// The signature is checked with the head, and the body's digest, which it covers, once the body is there; nothing is
/// forwarded before. The algorithm is `hmac-sha256`, whatever the signature says.
public final class MessageSignature: Plugin {
  public static let metrics = [results]
  private static let results = PluginMetric(
    "sluice_hmac_requests", .counter, labels: ["result"],
    "Requests that hmac judged; result is accepted, missing, refused, or limited: its address failed too often. One that is accepted by its head may be refused by its body."
  )

  /// What the workers have in common.
  public struct Shared: Sendable {
    let settings: Settings
    let failures: FailedLogins
    let seen: SeenSignatures
  }

  private let shared: Shared
  private let settings: Settings
  private let services: any WorkerServices
  private let fields: ForwardedIdentity
  /// The secrets that were used, set up; as many as consumers have.
  private var codes: [String: HMAC] = [:]
  private var base = ByteBuffer(capacity: 1024)
  public let challenge: RenderedFields
  public var forwarded: FieldNameSet { fields.names }
  private let accepted, missing, refused, limited: PluginCounter

  public static func share(_ settings: Settings) throws(PluginError) -> Shared {
    Shared(
      settings: settings, failures: try FailedLogins(settings.failures),
      // A signature may be of as much later as the window is wide, and is good until as much after that.
      seen: SeenSignatures(period: 2 * settings.skew + .seconds(1), capacity: settings.remembered))
  }

  public init(_ shared: Shared, _ services: any WorkerServices) {
    self.shared = shared
    self.services = services
    settings = shared.settings
    fields = ForwardedIdentity(settings.forward)
    let components = settings.components.map { "\"\($0)\"" }.joined(separator: " ")
    let tag = settings.tag.map { ";tag=\"\($0)\"" } ?? ""
    challenge = RenderedFields(
      ("WWW-Authenticate", "Signature realm=\"\(settings.realm)\""),
      ("Accept-Signature", "sig=(\(components));created;alg=\"hmac-sha256\"\(tag)"))
    accepted = services.counter(Self.results, ["accepted"])
    missing = services.counter(Self.results, ["missing"])
    refused = services.counter(Self.results, ["refused"])
    limited = services.counter(Self.results, ["limited"])
  }
}

extension MessageSignature: Authenticator {
  public func countMissing() { missing.add() }

  public func isCarried(by exchange: borrowing Exchange) -> Bool {
    exchange.request.header(named: "signature-input") != nil || exchange.request.header(named: "signature") != nil
  }

  public func authenticate(_ exchange: inout Exchange) -> Verdict {
    if let wait = shared.failures.wait(for: exchange, now: services.now) {
      limited.add()
      var fault = Fault.tooManyFailures
      fault.retryAfter = wait
      return .fail(fault)
    }
    do throws(SignatureMistake) {
      let (identity, checksBody) = try identity(of: exchange)
      if checksBody { exchange.notes.set(1, for: self) }
      accepted.add()
      exchange.identify(identity)
      if !forwarded.isEmpty { exchange.request.addHeaders(fields.lines(for: identity)) }
      return .proceed
    } catch { return refuse(error, exchange) }
  }

  private func refuse(_ mistake: SignatureMistake, _ exchange: borrowing Exchange) -> Verdict {
    refused.add()
    if mistake != .windowFull { shared.failures.charge(exchange, now: services.now) }
    return .fail(mistake.fault)
  }

  /// The consumer who signed the request, and whether its body is to be checked once it is there.
  private func identity(
    of exchange: borrowing Exchange
  ) throws(SignatureMistake) -> (identity: Identity, checksBody: Bool) {
    let inputs = try Self.dictionary("signature-input", of: exchange)
    let signatures = try Self.dictionary("signature", of: exchange)
    let (input, parameters, signer) = try chosen(from: inputs)
    guard case .item(.bytes(let bytes))? = signatures.first(where: { $0.name == input.name })?.value,
      let signature = SHA256Digest(bytes: bytes.span)
    else { throw .malformed }
    try checkTime(parameters, now: exchange.began)
    try checkCover(parameters, exchange)
    base.removeAll()
    try SignatureBase.append(input, parameters.components, of: exchange, to: &base)
    guard let code = code(of: signer)?.code(of: base.span), code == signature else { throw .signature }
    let hasDigest = parameters.covers("content-digest")
    let hasBody = exchange.request.head.framing != .none
    if hasDigest {
      let digest = try ContentDigest(of: exchange)
      if !hasBody { try digest.check([UInt8]().span) }
    }
    switch shared.seen.see(signature, now: services.now) {
    case .first: return (signer.identity, hasDigest && hasBody)
    case .again: throw .replayed
    case .full: throw .windowFull
    }
  }

  /// The first signature that a known key made, by what it says, for this application.
  private func chosen(
    from inputs: [StructuredMember]
  ) throws(SignatureMistake) -> (StructuredMember, SignatureParameters, MessageSigner) {
    var mistake = SignatureMistake.malformed
    for input in inputs.prefix(8) {
      let parameters = try SignatureParameters(input)
      if let algorithm = parameters.algorithm, algorithm != "hmac-sha256" {
        mistake = .algorithm
      } else if let tag = settings.tag, parameters.tag != tag {
        mistake = .tag
      } else if let signer = parameters.keyID.flatMap({ services.consumers.signer(keyID: $0) }) {
        return (input, parameters, signer)
      } else {
        mistake = .unknownKey
      }
    }
    throw mistake
  }

  private func checkTime(_ parameters: SignatureParameters, now: Int) throws(SignatureMistake) {
    guard let created = parameters.created else { throw .noTime }
    let second = 1_000_000_000
    let (now, skew) = (now / second, (settings.skew + second - 1) / second)
    if created > now + skew { throw .notYetValid }
    if created < now - skew { throw .expired }
    if let expires = parameters.expires, expires <= now { throw .expired }
  }

  private func checkCover(
    _ parameters: SignatureParameters, _ exchange: borrowing Exchange
  ) throws(SignatureMistake) {
    for component in settings.components {
      switch component {
      case "@query" where !exchange.request.head.hasQuery: continue
      case "content-digest" where exchange.request.head.framing == .none: continue
      default: guard parameters.covers(component) else { throw .uncovered }
      }
    }
    if exchange.request.head.framing != .none, parameters.covers("content-digest"),
      let coding = exchange.request.header(.contentEncoding), !coding.isEmpty,
      !ByteScan.equalIgnoringCase(coding, ByteScan.bytes(of: "identity"))
    {
      throw .codedBody
    }
  }

  private func code(of signer: MessageSigner) -> HMAC? {
    if let code = codes[signer.keyID] { return code }
    let code = HMAC(key: signer.key)
    codes[signer.keyID] = code
    return code
  }

  private static func dictionary(
    _ name: String, of exchange: borrowing Exchange
  ) throws(SignatureMistake) -> [StructuredMember] {
    var text = ByteBuffer(capacity: 512)
    guard SignatureBase.append(field: name, of: exchange, to: &text, limit: SignatureBase.longestField) else {
      throw .malformed
    }
    do throws(StructuredFieldError) { return try StructuredDictionary.parse(text.span) } catch { throw .malformed }
  }
}

extension MessageSignature {
  public func reason(for verdict: Verdict, of exchange: borrowing Exchange) -> String? {
    guard case .fail(let fault) = verdict else { return nil }
    if fault.isTooManyFailures { return Fault.tooManyFailuresWords }
    if !isCarried(by: exchange) { return "there are no `Signature-Input` and `Signature`" }
    return SignatureMistake.allCases.first { "\($0.fault.reason)" == "\(fault.reason)" }?.words
  }
}

extension MessageSignature: RequestBodyHook {
  public var takesRequestBodies: Bool { true }

  public func wantsRequestBody(_ exchange: inout Exchange) -> BodyWish? {
    exchange.notes.value(of: self) == nil ? nil : BodyWish(limit: settings.limit)
  }

  public func onRequestBody(_ exchange: inout Exchange) -> Verdict {
    do throws(SignatureMistake) {
      try ContentDigest(of: exchange).check(exchange.request.body.span)
      return .proceed
    } catch { return refuse(error, exchange) }
  }
}
