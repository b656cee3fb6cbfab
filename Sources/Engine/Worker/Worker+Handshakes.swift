import Foreign
import Kernel
import Runtime

/// Connections under TLS, from accept to the end of the handshake.
extension Worker {
  func acceptTLS(
    _ descriptor: consuming FileDescriptor, peer: IPAddress, on identity: ListenerIdentity, _ context: TLSServerContext
  ) {
    do throws(TLSSocketError) {
      let socket = try TLSSocket(descriptor, on: loop, server: context)
      metrics.connectionOpened(identity)
      // Whoever opens connections and says nothing must not keep others out: the one that waits longest goes.
      if handshakes.count >= limits.handshakes { handshakes.oldest?.end("evicted", reset: true) }
      let handshake = ServerHandshake(socket, peer: peer, listener: identity, worker: self)
      handshakes.append(handshake)
      handshake.begin()
    } catch {
      shared.closed()
      switch error {
      case .socket(let error): shared.acceptFailed(error)
      case .tls: metrics.shookHands(identity, outcome: "out_of_memory", version: "", isResumed: false)
      }
    }
  }

  /// A handshake is done: what was negotiated decides who serves the connection.
  func shookHands(_ handshake: ServerHandshake) {
    let socket = handshake.socket
    handshakes.remove(handshake)
    metrics.shookHands(handshake.listener, outcome: "ok", version: socket.version, isResumed: socket.isResumed)
    serve(
      ServerConnection(
        socket, peer: handshake.peer, listener: handshake.listener, worker: self,
        security: ConnectionSecurity(socket)))
  }

  func handshakeEnded(_ handshake: ServerHandshake) {
    handshakes.remove(handshake)
    metrics.connectionClosed(handshake.listener)
    shared.closed()
    if isDraining { reportDrained() }
  }
}
