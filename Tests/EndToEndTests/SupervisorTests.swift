import GatewayTesting
import Kernel
import Testing

/// What systemd is told, `Type=notify`: the messages are those of sd_notify(3).
@Suite(.enabled(if: Shell.has("python3"), "python3 is not installed"))
struct SupervisorTests {
  private static let listener = """
    import socket, sys
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(sys.argv[1].replace("@", chr(0)))
    log = open(sys.argv[2], "ab", 0)
    log.write(b"bound\\n")
    while True:
        log.write(manager.recv(65536) + b"--\\n")
    """

  @Test(arguments: ["/notify", "@"])
  func `the service manager is told of start, reload, upgrade and stop`(kind: String) throws {
    let directory = try TemporaryDirectory()
    try directory.write(Self.listener, to: "listener.py")
    let path = kind == "@" ? "@" + directory.path : directory.path + kind
    let manager = try ChildProcess(["/usr/bin/env", "python3", directory["listener.py"], path, directory["log"]])
    defer { manager.kill() }
    let said = { (try? directory.read("log")) ?? "" }
    try #require(Deadline.usual.poll { said().hasPrefix("bound") })
    var plan = RunningGateway.Plan()
    plan.environment = [("NOTIFY_SOCKET", path)]
    let text = "admin: \"127.0.0.1:${ADMIN_PORT}\"\nroutes: { all: { match: /*, respond: 200 } }"
    try withUpgradableGateway(text, plan) { gateway in
      #expect(Deadline.usual.poll { said().contains("READY=1\nSTATUS=serving\n") })
      #expect(try gateway.command(["reload"]).exit == .exited(0))
      #expect(Deadline.usual.poll { said().contains("STATUS=reload done: generation 2 runs, 0 changes\n--\n") })
      #expect(said().contains("RELOADING=1\nMONOTONIC_USEC="))
      #expect(try gateway.command(["upgrade"]).exit == .exited(0))
      let successor = try gateway.awaitSuccessor(of: gateway.process.id)
      #expect(Deadline.usual.poll { said().contains("MAINPID=\(successor)\nREADY=1\n") })
      // The old process ends without a word of stopping: the service goes on.
      #expect(!said().contains("STOPPING=1"))
      try gateway.stopAll()
      #expect(Deadline.usual.poll { said().hasSuffix("STOPPING=1\n--\n") })
      // Start, reload twice, upgrade, stop.
      #expect(said().split(separator: "--\n").count == 5)
    }
  }
}
