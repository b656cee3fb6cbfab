import Configuration
import Engine
import GatewayTesting
import Testing

/// Whether the files on disk are those that were read.
struct ConfigurationFingerprintTests {
  private static let text = """
    include: [routes/*.conf]
    listeners: { public: 127.0.0.1:8080 }
    call_log: off

    """
  private static let route = "routes: { one: { match: /one, respond: 200 } }\n"

  private func load(_ directory: TemporaryDirectory) -> LoadedConfiguration {
    ConfigurationSource(
      file: directory["gateway.conf"], declarations: [], catalog: PluginCatalog([]), environment: Environment([:])
    ).load()
  }

  private func prepare() throws -> TemporaryDirectory {
    let directory = try TemporaryDirectory()
    #expect(Shell.run("mkdir \(directory["routes"])") == 0)
    try directory.write(Self.text, to: "gateway.conf")
    try directory.write(Self.route, to: "routes/one.conf")
    return directory
  }

  @Test func `files that nobody touched are current`() throws {
    let directory = try prepare()
    let loaded = load(directory)
    #expect(loaded.snapshot != nil, "\(loaded.diagnostics.text)")
    #expect(!loaded.fingerprint.isOutdated)
  }

  @Test func `a file that was written again with the same text is current`() throws {
    let directory = try prepare()
    let loaded = load(directory)
    #expect(Shell.run("touch -d '2001-01-01' \(directory["gateway.conf"])") == 0)
    #expect(!loaded.fingerprint.isOutdated)
  }

  @Test(arguments: [
    "echo '# more' >> gateway.conf", "echo '# more' >> routes/one.conf", "rm routes/one.conf",
    "echo 'routes: {}' > routes/two.conf", "mv gateway.conf elsewhere",
  ])
  func `any other change is noticed`(_ command: String) throws {
    let directory = try prepare()
    let loaded = load(directory)
    #expect(Shell.run("cd \(directory.path) && \(command)") == 0)
    #expect(loaded.fingerprint.isOutdated)
  }

  @Test func `a file that was not there is noticed when it comes`() throws {
    let directory = try TemporaryDirectory()
    let loaded = load(directory)
    #expect(loaded.snapshot == nil)
    #expect(!loaded.fingerprint.isOutdated)
    try directory.write(Self.text, to: "gateway.conf")
    #expect(loaded.fingerprint.isOutdated)
  }

  @Test func `the admin port is found in a file with mistakes, and in an included one`() throws {
    let directory = try prepare()
    let admin = "admin: { address: 127.0.0.1:9900, token: \"${TOKEN}\" }\n"
    try directory.write(Self.route + admin, to: "routes/one.conf")
    try directory.write(Self.text + "nonsense: 1\n", to: "gateway.conf")
    let source = ConfigurationSource(
      file: directory["gateway.conf"], declarations: [], catalog: PluginCatalog([]),
      environment: Environment(["TOKEN": "t"]))
    #expect(source.load().snapshot == nil)
    #expect(source.findAdmin()?.address == .ip(host: "127.0.0.1", port: 9900))
    #expect(source.findAdmin()?.token == Secret("t"))
    try directory.write("admin: [\n", to: "gateway.conf")
    #expect(source.findAdmin() == nil)
  }
}
