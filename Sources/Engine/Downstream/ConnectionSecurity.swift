import Foreign
import PluginKit
import Runtime
import Telemetry

/// What TLS agreed on for a connection, as its exchanges show it.
final class ConnectionSecurity {
  let logMembers: CallLogMembers
  let certificate: ClientCertificate?

  init(_ socket: TLSSocket) {
    var members: [(CallField, String)] = [(.tlsVersion, socket.version), (.tlsCipher, socket.cipher)]
    if let name = socket.serverName { members.append((.tlsServerName, name)) }
    certificate = socket.peerCertificate.map {
      ClientCertificate(subject: $0.subject, names: $0.names, fingerprint: $0.fingerprint)
    }
    if let certificate { members.append((.tlsClient, certificate.subject)) }
    logMembers = CallLogMembers(members)
  }
}
