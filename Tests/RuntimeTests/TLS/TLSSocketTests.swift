import Foreign
import GatewayTesting
import Kernel
import Runtime
import Testing

@Suite struct TLSSocketTests {
  /// What both sides know after a handshake.
  struct Agreed: Sendable, Equatable {
    var server: TLSSocket.Handshake
    var client: TLSSocket.Handshake
    var version = ""
    var cipher = ""
    var shown = ""
    var serverName: String?
    var negotiated: String?
    var isResumed = false
    var clientIdentity: TLSCertificate?
  }

  private func agree(
    _ server: TLSServerContext, _ client: TLSClientContext, host: String = "localhost"
  ) async throws -> Agreed {
    try await onLoop { loop in
      let pair = try TLSPair(loop, server: server, client: client, host: host)
      defer { pair.close() }
      await pair.shakeHands()
      // A server refuses a client's certificate after the client is done: an exchange settles it.
      _ = await pair.pass([1], from: pair.client, to: pair.server)
      return Agreed(
        server: pair.server.handshake, client: pair.client.handshake, version: pair.client.version,
        cipher: pair.client.cipher, shown: pair.client.peerCertificate?.subject ?? "",
        serverName: pair.server.serverName, negotiated: pair.server.negotiatedProtocol,
        isResumed: pair.server.isResumed, clientIdentity: pair.server.peerCertificate)
    }
  }

  private func failure(_ handshake: TLSSocket.Handshake) -> TLSFailure.Kind? {
    if case .failed(let failure) = handshake { failure.kind } else { nil }
  }

  @Test func `a handshake agrees on version, cipher, name and protocol`() async throws {
    let server = try TLSServerContext(
      [TLSMaterial.set.localhost], protocols: ["h2", "http/1.1"], tickets: TLSTicketKeys())
    let client = try TLSClientContext(authority: TLSMaterial.trusted, protocols: ["http/1.1"])
    let agreed = try await agree(server, client)
    #expect(agreed.server == .done)
    #expect(agreed.client == .done)
    #expect(agreed.version == "TLSv1.3")
    #expect(agreed.cipher == "TLS_AES_128_GCM_SHA256")
    #expect(agreed.serverName == "localhost")
    #expect(agreed.negotiated == "http/1.1")
    #expect(agreed.clientIdentity == nil)
  }

  @Test(arguments: [("localhost", "CN=localhost"), ("other.test", "CN=other"), ("a.wild.test", "CN=other")])
  func `the name that a client asks for chooses the certificate`(host: String, subject: String) async throws {
    let server = try TLSServerContext(
      [TLSMaterial.set.localhost, TLSMaterial.set.other], tickets: TLSTicketKeys())
    let agreed = try await agree(server, TLSClientContext(authority: TLSMaterial.trusted), host: host)
    #expect(agreed.client == .done)
    #expect(agreed.shown == subject)
  }

  @Test(arguments: [
    ("localhost", TLSFailure.Kind.certificateExpired), ("localhost", .certificateNotYetValid),
    ("localhost", .wrongHost), ("a.b.wild.test", .wrongHost), ("localhost", .unknownAuthority),
  ])
  func `a certificate that is wrong for the host ends the handshake, and the reason says how`(
    host: String, kind: TLSFailure.Kind
  ) async throws {
    let set = try TLSMaterial.set
    let identity =
      switch kind {
      case .certificateExpired: set.expired
      case .certificateNotYetValid: set.future
      case .wrongHost: set.other
      default: set.localhost
      }
    let server = try TLSServerContext([identity], tickets: TLSTicketKeys())
    let client =
      try kind == .unknownAuthority
      ? TLSClientContext() : TLSClientContext(authority: TLSMaterial.trusted)
    let agreed = try await agree(server, client, host: host)
    #expect(failure(agreed.client) == kind)
    #expect(failure(agreed.server) == .refused || agreed.server == .done)
  }

  @Test func `what is not verified may be anybody's`() async throws {
    let server = try TLSServerContext([TLSMaterial.set.expired], tickets: TLSTicketKeys())
    let agreed = try await agree(server, TLSClientContext(verifies: false), host: "elsewhere.test")
    #expect(agreed.client == .done)
  }

  @Test(arguments: TLSServerContext.ClientCertificates.allCases, [true, false])
  func `a client's certificate is asked for as the listener says`(
    demand: TLSServerContext.ClientCertificates, shows: Bool
  ) async throws {
    let server = try TLSServerContext(
      [TLSMaterial.set.localhost], clientCertificates: demand, authority: TLSMaterial.trusted,
      tickets: TLSTicketKeys())
    let client = try TLSClientContext(
      authority: TLSMaterial.trusted, identity: shows ? TLSMaterial.set.client : nil)
    let agreed = try await agree(server, client)
    if demand == .required, !shows {
      #expect(failure(agreed.server) == .badCertificate)
      return
    }
    #expect(agreed.server == .done)
    let identity = agreed.clientIdentity
    #expect((identity != nil) == (shows && demand != .none))
    guard let identity else { return }
    #expect(identity.subject == "CN=batch,O=Example")
    #expect(identity.names == ["dns:batch.internal", "email:ops@example.com", "ip:10.0.0.1", "ip:::1"])
    #expect(identity.fingerprint.count == 64)
  }

  @Test func `a second connection resumes the session, also when the key has rotated once`() async throws {
    let clock = Lock(0)
    let tickets = TLSTicketKeys(now: { clock.withLock { $0 } })
    let server = try TLSServerContext([TLSMaterial.set.localhost], tickets: tickets)
    let client = try TLSClientContext(authority: TLSMaterial.trusted)
    let resumed = try await onLoop { loop in
      let resumption = TLSResumption()
      var resumed: [Bool] = []
      for age in [0, 0, 0, 1, 2, 4] {
        clock.withLock { $0 = age * TLSTicketKeys.period }
        let pair = try TLSPair(loop, server: server, client: client, host: "localhost", resumption: resumption)
        await pair.shakeHands()
        // The tickets come with the server's first content.
        _ = await pair.pass([1], from: pair.server, to: pair.client)
        resumed.append(pair.server.isResumed)
        pair.close()
      }
      return resumed
    }
    #expect(resumed == [false, true, true, true, true, false])
  }

  @Test(arguments: [1, 255, 16384, 16385, 300_000])
  func `content passes both ways, however long`(count: Int) async throws {
    let server = try TLSServerContext([TLSMaterial.set.localhost], tickets: TLSTicketKeys())
    let client = try TLSClientContext(authority: TLSMaterial.trusted)
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let (up, down) = try await onLoop { loop in
      let pair = try TLSPair(loop, server: server, client: client, host: "localhost")
      defer { pair.close() }
      await pair.shakeHands()
      let up = await pair.pass(bytes, from: pair.client, to: pair.server)
      return (up, await pair.pass(bytes, from: pair.server, to: pair.client))
    }
    #expect(up == bytes)
    #expect(down == bytes)
  }

  @Test func `an end with a goodbye is an end, and one without is an error`() async throws {
    let server = try TLSServerContext([TLSMaterial.set.localhost], tickets: TLSTicketKeys())
    let client = try TLSClientContext(authority: TLSMaterial.trusted)
    let ends = try await onLoop { loop in
      var ends: [Bool] = []
      for says in [true, false] {
        let pair = try TLSPair(loop, server: server, client: client, host: "localhost")
        await pair.shakeHands()
        if says { pair.client.close() } else { pair.client.close(reset: true) }
        ends.append(await pair.readOnce(pair.server).0.isEnd)
        pair.close()
      }
      return ends
    }
    #expect(ends == [true, false])
  }

  @Test func `after the goodbye the other direction still carries content`() async throws {
    let server = try TLSServerContext([TLSMaterial.set.localhost], tickets: TLSTicketKeys())
    let client = try TLSClientContext(authority: TLSMaterial.trusted)
    let came = try await onLoop { loop in
      let pair = try TLSPair(loop, server: server, client: client, host: "localhost")
      defer { pair.close() }
      await pair.shakeHands()
      pair.server.shutdownWrite()
      return await pair.pass([7, 8, 9], from: pair.client, to: pair.server)
    }
    #expect(came == [7, 8, 9])
  }

  @Test func `a resting client's socket stays quiet when tickets arrive, and not when content does`() async throws {
    let server = try TLSServerContext([TLSMaterial.set.localhost], tickets: TLSTicketKeys())
    let client = try TLSClientContext(authority: TLSMaterial.trusted)
    let quiet = try await onLoop { loop in
      let pair = try TLSPair(loop, server: server, client: client, host: "localhost")
      defer { pair.close() }
      await pair.shakeHands()
      _ = await pair.pass([1], from: pair.client, to: pair.server)
      var quiet = [pair.client.isQuiet && !pair.client.isReadable]
      _ = pair.server.send([2])
      while !pair.client.isReadable { await pair.wait() }
      quiet.append(pair.client.isQuiet)
      return quiet
    }
    #expect(quiet == [true, false])
  }
}

extension TLSSocket {
  fileprivate func send(_ bytes: [UInt8]) -> IOResult { send(bytes.span) }
}
