import ArgumentParser
import Configuration
import Engine
import Kernel

/// Asks a running gateway through its admin port.
struct AdminClient {
  let address: ListenAddress
  let token: Secret?

  /// How long a gateway may take to answer: a large file is read and compiled meanwhile.
  private static let patience = 60_000_000_000
  static let pause = 20_000_000

  /// Reads a path; as text unless JSON is wanted.
  func get(_ path: String, json: Bool = false) throws -> AdminCall.Answer { try send("GET", path, json: json) }

  /// Makes the gateway change something and tells how it went; exits with 1 when it did not.
  ///
  /// - Parameter signal: does the same, where there is no token to show.
  func change(_ path: String, signal: CInt, json: Bool) throws {
    let answer =
      canWrite ? try send("POST", path, json: json) : try changeBySignal(signal, json: json)
    if json || answer.status == 200 { Terminal.print(answer.body) } else { Terminal.error(answer.body) }
    if answer.status != 200 { throw ExitCode(1) }
  }

  var canWrite: Bool {
    if case .unix = address { return true }
    return token != nil
  }

  /// Sends the signal to the process behind the admin port, and waits until it has done what it asks for.
  private func changeBySignal(_ signal: CInt, json: Bool) throws -> AdminCall.Answer {
    let (process, before) = try findProcess()
    let count = before["reloads"]
    try self.signal(signal, to: process)
    let end = Clock.monotonic + Self.patience
    while Clock.monotonic < end {
      if try status()["reloads"] != count {
        let answer = try get("/api/v1/reload")
        return json ? AdminCall.Answer(status: answer.status, body: try get("/api/v1/reload", json: true).body) : answer
      }
      ProcessPause.sleep(nanoseconds: Self.pause)
    }
    throw fail("process \(process) got the signal and did not act on it in a minute; its log may say why")
  }

  /// The process behind the admin port, and what it says of itself.
  func findProcess() throws -> (process: CInt, status: [String: String]) {
    let status = try status()
    guard let text = status["pid"], let process = CInt(text), status["reloads"] != nil else {
      throw fail("\(address) is no admin port of a gateway")
    }
    guard let name = ProcessName.of(process), name == "sluice" || name == ProcessName.own else {
      throw fail("process \(process), which \(address) names, is no sluice of this machine: set `admin.token`")
    }
    return (process, status)
  }

  func signal(_ signal: CInt, to process: CInt) throws {
    do { try ProcessSignal.send(signal, to: process) } catch {
      throw fail("process \(process) cannot be told (\(error.message)): ask its user, or set `admin.token`")
    }
  }

  /// What `/api/v1/status` says as text.
  ///
  /// - Parameter isQuiet: whether it is for the caller to say what is wrong.
  func status(isQuiet: Bool = false) throws -> [String: String] {
    let answer = try send("GET", "/api/v1/status", json: false, isQuiet: isQuiet)
    guard answer.status == 200 else { throw fail("the gateway refuses to say its status: \(answer.body)") }
    let pairs = answer.body.split(separator: "\n").compactMap { line -> (String, String)? in
      guard let colon = line.firstRange(of: ": ") else { return nil }
      return (String(line.prefix(upTo: colon.lowerBound)), String(line.suffix(from: colon.upperBound)))
    }
    return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
  }

  func send(
    _ method: String, _ path: String, json: Bool, patience: Int = Self.patience, isQuiet: Bool = false
  ) throws -> AdminCall.Answer {
    guard let socket = address.socketAddress else { throw fail("\(address) is no address") }
    let call = AdminCall(
      socket, method, path, token: token, accept: json ? "application/json" : "text/plain", patience: patience)
    do throws(AdminCall.Failure) { return try call.run() } catch {
      if isQuiet { throw error }
      throw fail("no gateway answers on \(address) (\(error)): is it running, and is that its `admin`?")
    }
  }

  func fail(_ message: String) -> ExitCode {
    Terminal.error(message + "\n")
    return ExitCode(1)
  }
}

/// Names of processes.
private enum ProcessName {
  /// Of this program, which may have been installed under another name.
  static let own = of("self")
  static func of(_ process: CInt) -> String? { of("\(process)") }

  /// As the kernel knows it; nil when there is no such process.
  private static func of(_ process: String) -> String? {
    guard let file = try? File("/proc/\(process)/comm", .read) else { return nil }
    var bytes = [UInt8](repeating: 0, count: 64)
    var room = bytes.mutableSpan
    guard let count = try? file.read(into: &room) else { return nil }
    return String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n").first.map(String.init)
  }
}
