import GatewayTesting
import Kernel
import Testing

/// Sessions from before a reload that demands more of a client.
struct TicketDemandTests {
  @Test(arguments: ["-tls1_2", "-tls1_3"])
  func `a ticket of a client that showed no certificate does not count where one is required`(_ version: String) throws
  {
    let files = try TLSFixture.files
    let demand = "client_authority: \"\(files.authority.certificate)\", client_certificates: "
    let text = "routes: { all: { match: /*, respond: 200 } }"
    let request = "GET / HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n"
    try withGateway(text, TLSFixture.plan([files.localhost], demand + "optional")) { gateway in
      let session = gateway.directory["session"]
      let first = try TLSFixture.client(gateway, "\(version) -sess_out \(session)", input: request)
      #expect(first.contains("New, TLS") && first.contains("200 OK"))
      let again = try TLSFixture.client(gateway, "\(version) -sess_in \(session)", input: request)
      #expect(again.contains("Reused, TLS") && again.contains("200 OK"))
      let before = try gateway.directory.read("gateway.conf")
      try gateway.directory.write(before.replacing(demand + "optional", with: demand + "required"), to: "gateway.conf")
      gateway.process.signal(1)
      let isDemanded = try Deadline.usual.poll {
        try !TLSFixture.client(gateway, version, input: request).contains("200 OK")
      }
      #expect(isDemanded)
      let refused = try TLSFixture.client(gateway, "\(version) -sess_in \(session)", input: request)
      #expect(!refused.contains("Reused, TLS") && !refused.contains("200 OK"), "\(refused)")
    }
  }
}
