import Kernel

/// The built `sluice`, running with a configuration that a test wrote.
///
/// Its listener `public` is on a free port of 127.0.0.1; the configuration reads `${PORT}`, `${ADMIN_PORT}` and
/// `${DIRECTORY}` too. It has one worker and a call log unless the test says otherwise.
package final class RunningGateway: Sendable, Opaque {
  package let process: ChildProcess
  package let port: Int
  package let adminPort: Int
  package let directory: TemporaryDirectory
  package let environment: [(String, String)]
  private let launch: [String]

  /// What a test says of the gateway beside its configuration.
  package struct Plan: Sendable {
    package var workers = 1
    package var listeners = #"{ public: "127.0.0.1:${PORT}" }"#
    package var callLog = #"{ path: "${DIRECTORY}/calls", query: full }"#
    /// Whether the text is a whole configuration, to which nothing is added.
    package var isWhole = false
    /// Added to the environment of the process.
    package var environment: [(String, String)] = []
    /// The limit of open files that the process gets.
    package var openFiles: Int?

    package init() {}
  }

  package struct Failure: Error, CustomStringConvertible {
    package let description: String
  }

  /// Starts and waits until it listens.
  ///
  /// - Parameter text: the configuration without `listeners`, `call_log`, `workers` and `drain_delay`.
  package init(_ text: String, _ plan: Plan = Plan()) throws {
    directory = try TemporaryDirectory()
    port = Ports.free()
    adminPort = Ports.free()
    environment =
      [("PORT", "\(port)"), ("ADMIN_PORT", "\(adminPort)"), ("DIRECTORY", directory.path)] + plan.environment
    try directory.write(Self.configuration(text, plan), to: "gateway.conf")
    launch = Self.command(["run", "-c", directory["gateway.conf"]], openFiles: plan.openFiles)
    process = try Self.start(launch, directory: directory, environment)
    try awaitListening()
  }

  private init(_ other: RunningGateway) throws {
    directory = other.directory
    port = other.port
    adminPort = other.adminPort
    launch = other.launch
    environment = other.environment
    try? FileSystem.remove(directory["stdout"])
    process = try Self.start(launch, directory: directory, environment)
    try awaitListening()
  }

  /// The same gateway once more, after this one has ended: same directory, ports and configuration.
  package func restarted() throws -> RunningGateway { try RunningGateway(self) }

  package static func configuration(_ text: String, _ plan: Plan = Plan()) -> String {
    if plan.isWhole { return text }
    return """
      listeners: \(plan.listeners)
      call_log: \(plan.callLog)
      workers: \(plan.workers)
      drain_delay: 0s
      \(text)

      """
  }

  /// The built program, which stands beside the tests.
  package static let program: String = {
    let tests = CommandLine.arguments[0]
    return String(tests[..<(tests.lastIndex(of: "/") ?? tests.startIndex)]) + "/sluice"
  }()

  private static func command(_ arguments: [String], openFiles: Int?) -> [String] {
    guard let openFiles else { return [program] + arguments }
    return ["/bin/sh", "-c", "ulimit -n \(openFiles); exec \"$0\" \"$@\"", program] + arguments
  }

  private static func start(
    _ command: [String], directory: TemporaryDirectory, _ environment: [(String, String)]
  ) throws -> ChildProcess {
    try ChildProcess(
      command, environment: environment, output: directory["stdout"], errors: directory["stderr"])
  }

  private func awaitListening() throws {
    // On standard error when the call log has standard output.
    let isReady = Deadline.usual.poll {
      output.contains("listening on") || errors.contains("listening on") || !process.isRunning
    }
    guard isReady, process.isRunning else {
      process.kill()
      throw Failure(description: "sluice did not start: \(errors)")
    }
  }

  // MARK: Talking to it

  package func connect() throws -> Client { try Client(port: port) }

  /// One GET over a connection of its own.
  package func get(_ target: String, _ fields: [String] = []) throws -> WireMessage {
    try connect().get(target, fields)
  }

  /// One GET to the admin port, which the configuration must open: `admin: "127.0.0.1:${ADMIN_PORT}"`.
  package func admin(_ target: String) throws -> WireMessage {
    try Client(port: adminPort).get(target, host: "127.0.0.1:\(adminPort)")
  }

  /// The sum of a metric over all its labels; nil when there is none of that name.
  package func metric(_ name: String) throws -> Int? {
    let values = try admin("/metrics").text.split(separator: "\n").compactMap { line in
      line.hasPrefix(name + " ") || line.hasPrefix(name + "{") ? Int(line.split(separator: " ").last ?? "") : nil
    }
    return values.isEmpty ? nil : values.reduce(0, +)
  }

  package var output: String { (try? directory.read("stdout")) ?? "" }
  package var errors: String { (try? directory.read("stderr")) ?? "" }

  // MARK: Its call log

  /// The records written so far.
  package func records() throws -> [JSONValue] {
    let folder = directory["calls"]
    let names = ((try? FileSystem.list(folder)) ?? []).filter { $0.hasSuffix(".ndjson") }
    // Older segments first: `calls-…` sorts before `current`.
    return try names.flatMap { name in
      let text = try TemporaryDirectory.contents(of: folder + "/" + name)
      // What follows the last line feed is being written just now.
      let whole = text.prefix(upTo: text.lastIndex(of: "\n") ?? text.startIndex)
      return try whole.split(separator: "\n").map { try JSONValue(parsing: $0) }
    }
  }

  /// Waits until there are so many records, and returns all.
  package func awaitRecords(_ count: Int, until deadline: Deadline = .usual) throws -> [JSONValue] {
    var found: [JSONValue] = []
    let isComplete = try deadline.poll {
      found = try records()
      return found.count >= count
    }
    if !isComplete { throw Failure(description: "\(found.count) records instead of \(count): \(found)") }
    return found
  }

  // MARK: Stopping it

  /// Sends SIGTERM and waits for the drained end.
  package func stop() throws {
    process.terminate()
    let exit = try process.wait(until: .usual)
    if exit != .exited(0) { throw Failure(description: "sluice ended with \(exit): \(errors.suffix(4000))") }
  }
}

/// Runs `body` with a gateway, and drains it afterwards: an end other than exit 0 is an error of the test.
package func withGateway<Result>(
  _ text: String, _ plan: RunningGateway.Plan = RunningGateway.Plan(), _ body: (RunningGateway) throws -> Result
) throws -> Result {
  let gateway = try RunningGateway(text, plan)
  defer { gateway.process.kill() }
  let result = try body(gateway)
  try gateway.stop()
  return result
}

/// The same with an origin behind it, to which `text` may refer as `ORIGIN`; by default every path goes there.
package func withGateway<Result>(
  _ text: String = "routes: { all: { match: /*, upstream: ORIGIN } }", to origin: Origin,
  _ plan: RunningGateway.Plan = RunningGateway.Plan(), _ body: (RunningGateway) throws -> Result
) throws -> Result {
  defer { origin.stop() }
  let url = "\"\(origin.url)\""
  let configuration = text.split(separator: "ORIGIN", omittingEmptySubsequences: false).joined(separator: url)
  return try withGateway(configuration, plan, body)
}
