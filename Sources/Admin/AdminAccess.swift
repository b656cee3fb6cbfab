import Configuration
import Engine
import Kernel

/// Who may read and change what on the admin port.
///
/// Reading is open to this machine: through the Unix socket, or from loopback under a local name. Anything else shows
/// the token, and so does whoever wants to change something. Pages of other sites cannot: their `Origin` is another,
/// a name that they made point here is no local name, and no answer of the admin port permits a preflight, which a
/// request with `Authorization` needs in a browser.
struct AdminAccess {
  /// Where the admin port listens.
  let address: ListenAddress
  let token: Secret?

  /// What a request says of itself, as far as access depends on it.
  struct Claim {
    var peerIsLoopback: Bool
    /// With or without port; empty when there is none.
    var host: String
    var origin: String?
    /// `Sec-Fetch-Site`, which browsers send and pages cannot set.
    var fetchSite: String?
    var authorization: String?
  }

  /// Why a request is refused; nil when it may pass.
  func refusal(of access: AdminEndpoint.Access, _ claim: Claim) -> AdminProblem? {
    if access == .open { return nil }
    if let problem = originProblem(claim) { return problem }
    if case .unix = address { return nil }
    if isLoopback, !isOwn(claim.host) { return .foreignHost }
    let hasToken = shows(token, claim)
    switch access {
    case .open: return nil
    case .read:
      if hasToken || (claim.peerIsLoopback && isOwn(claim.host)) { return nil }
      return token == nil ? .noToken : .unauthorized
    case .write:
      if hasToken { return nil }
      return token == nil ? .noToken : .unauthorized
    }
  }

  private var isLoopback: Bool {
    guard case .ip(let host, _) = address else { return true }
    return IPAddress(host)?.isLoopback ?? false
  }

  /// A browser says where the page came from; it must have come from here.
  private func originProblem(_ claim: Claim) -> AdminProblem? {
    if let origin = claim.origin, origin.lowercased() != "http://" + claim.host.lowercased() { return .foreignOrigin }
    if let site = claim.fetchSite, site != "same-origin", site != "none" { return .foreignOrigin }
    return nil
  }

  /// Whether a `Host` is the admin port's own address, or a name that means this machine whatever DNS says.
  private func isOwn(_ host: String) -> Bool {
    var name = host[...]
    if name.hasPrefix("[") {
      name = name.dropFirst().prefix { $0 != "]" }
    } else {
      name = name.prefix { $0 != ":" }
    }
    if name.lowercased() == "localhost" { return true }
    guard let ip = IPAddress(String(name)) else { return false }
    if case .ip(let own, _) = address, IPAddress(own) == ip { return true }
    return ip.isLoopback
  }

  /// Whether the request shows the token; takes as long whatever it shows.
  private func shows(_ token: Secret?, _ claim: Claim) -> Bool {
    guard let token, let shown = claim.authorization, shown.lowercased().hasPrefix("bearer ") else { return false }
    let wanted = Array(token.reveal().utf8)
    let given = Array(shown.dropFirst(7).utf8.drop { $0 == UInt8(ascii: " ") })
    guard !wanted.isEmpty else { return false }
    var difference = wanted.count ^ given.count
    for (index, byte) in given.enumerated() { difference |= Int(byte ^ wanted[index % wanted.count]) }
    return difference == 0
  }
}

/// A refusal of the admin port.
struct AdminProblem: Sendable, Equatable {
  let status: Int
  let code: String
  let detail: String
  var fields: [String: String] = [:]

  static let foreignOrigin = AdminProblem(
    status: 403, code: "foreign_origin",
    detail: "The request comes from a page of another site; only pages of this address may ask.")
  static let foreignHost = AdminProblem(
    status: 403, code: "foreign_host",
    detail: "The Host is no name of this machine; ask for localhost or the address of `admin`.")
  static let noToken = AdminProblem(
    status: 403, code: "no_token",
    detail: "This gateway has no admin token: set `admin.token`, or let `admin` be a Unix socket. "
      + "`sluice reload` and `sluice rollback` work without one, for the user that runs the gateway.")
  static let unauthorized = AdminProblem(
    status: 401, code: "unauthorized", detail: "Show the token: Authorization: Bearer TOKEN.",
    fields: ["WWW-Authenticate": "Bearer realm=\"sluice\""])
  static let notFound = AdminProblem(
    status: 404, code: "not_found", detail: "The admin port has no such path; GET / lists those it has.")

  static func badRequest(_ detail: String) -> AdminProblem {
    AdminProblem(status: 400, code: "bad_request", detail: detail)
  }

  static func methodNotAllowed(_ endpoint: AdminEndpoint) -> AdminProblem {
    AdminProblem(
      status: 405, code: "method_not_allowed", detail: "This path takes \(endpoint.methods).",
      fields: ["Allow": endpoint.methods])
  }
}
