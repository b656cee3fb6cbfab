import GatewayTesting
import Kernel

/// A Redis server of Debian's on a free port, with nothing in it.
final class RedisServer {
  let port: Int
  private let directory: TemporaryDirectory
  private let options: [String]
  private(set) var process: ChildProcess

  init(_ options: [String] = []) throws {
    directory = try TemporaryDirectory()
    port = Ports.free()
    self.options = options
    process = try Self.start(port, directory, options)
    try awaitReady()
  }

  deinit { process.kill() }

  private static func start(_ port: Int, _ directory: TemporaryDirectory, _ options: [String]) throws -> ChildProcess {
    try ChildProcess(
      ["/usr/bin/redis-server", "--port", "\(port)", "--bind", "127.0.0.1", "--save", "", "--dir", directory.path]
        + options, output: directory["log"])
  }

  private func awaitReady() throws {
    let isReady = Deadline.usual.poll { (try? Client(port: port)) != nil }
    if !isReady { throw WireError.timedOut }
  }

  func restart() throws {
    process.kill()
    process = try Self.start(port, directory, options)
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
