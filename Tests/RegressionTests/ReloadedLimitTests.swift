import GatewayTesting
import Kernel
import Testing

/// Buffers and decoders kept the limits that the process began with: a head between the old and the new limit of a
/// reload ended the process.
@Suite struct ReloadedLimitTests {
  private static let configuration = """
    limits: { request_head: 16KiB }
    routes: { all: { match: /*, respond: { status: 200, body: first } } }
    """

  private func reload(_ gateway: RunningGateway, _ changes: [(String, String)]) throws {
    var text = try gateway.directory.read("gateway.conf")
    for (old, new) in changes { text = text.replacing(old, with: new) }
    try gateway.directory.write(text, to: "gateway.conf")
    gateway.process.signal(ProcessSignal.hangup)
  }

  @Test func `a longer head is taken once a reload allows it, and refused once one forbids it`() throws {
    let long = "X-Long: " + String(repeating: "a", count: 40_000)
    try withGateway(Self.configuration) { gateway in
      let resting = try gateway.connect()
      #expect(try resting.get("/").text == "first")
      #expect(try gateway.get("/", [long]).status == 431)
      try reload(gateway, [("16KiB", "64KiB"), ("first", "second")])
      #expect(try Deadline.usual.poll { try gateway.get("/").text == "second" })
      #expect(try gateway.get("/", [long]).status == 200)
      #expect(try gateway.connect().get("/", [long]).status == 200)
      try reload(gateway, [("64KiB", "16KiB"), ("second", "third")])
      #expect(try Deadline.usual.poll { try gateway.get("/").text == "third" })
      #expect(try gateway.get("/", [long]).status == 431)
      #expect(try resting.get("/").text == "third")
    }
  }
}
