public import Configuration
public import HTTP
public import PluginKit

/// Knows consumers by the certificate of their connection, which the listener's authority has signed.
public final class ClientCertificateLogin: Plugin {
  public struct Settings: Sendable {
    var forward: [(String, RequestValue)] = []
  }

  public static let section = Section(
    "client_certificate", Settings(), "Knows consumers by their connection's certificate.",
    [
      Keyword(
        "forward", \.forward, .forwardedIdentity,
        "Fields that tell the upstream who calls: consumer. The client's own of these names are removed.")
    ])

  public static let metrics = [results]
  private static let results = PluginMetric(
    "sluice_client_certificate_requests", .counter, labels: ["result"],
    "Requests that client_certificate judged; result is accepted, missing, or refused: no consumer has the certificate."
  )

  private let services: any WorkerServices
  private let fields: ForwardedIdentity
  public let challenge = RenderedFields(("WWW-Authenticate", "ClientCertificate realm=\"gateway\""))
  public var forwarded: FieldNameSet { fields.names }
  private let accepted, missing, refused: PluginCounter

  public init(_ settings: Settings, _ services: any WorkerServices) {
    self.services = services
    fields = ForwardedIdentity(settings.forward)
    accepted = services.counter(Self.results, ["accepted"])
    missing = services.counter(Self.results, ["missing"])
    refused = services.counter(Self.results, ["refused"])
  }
}

extension ClientCertificateLogin: Authenticator {
  public func countMissing() { missing.add() }
  public func isCarried(by exchange: borrowing Exchange) -> Bool { exchange.clientCertificate != nil }

  public func authenticate(_ exchange: inout Exchange) -> Verdict {
    guard let certificate = exchange.clientCertificate,
      let identity = services.consumers.identity(of: certificate)
    else {
      refused.add()
      return .fail(.unknownCertificate)
    }
    accepted.add()
    exchange.identify(identity)
    if !forwarded.isEmpty { exchange.request.addHeaders(fields.lines(for: identity)) }
    return .proceed
  }
}

extension ClientCertificateLogin {
  public func reason(for verdict: Verdict, of exchange: borrowing Exchange) -> String? {
    guard case .fail = verdict else { return nil }
    guard let certificate = exchange.clientCertificate else { return "its connection has no certificate of a client" }
    return "no consumer has the certificate of `\(certificate.subject)`"
  }
}

extension Fault {
  public static let unknownCertificate = unauthenticated("unknown_client_certificate")
}
