import GatewayTesting

/// One run of the program: its exit status and what it said.
struct Command {
  let status: Int32
  let output: String
  let errors: String

  /// Runs it to its end.
  init(_ arguments: [String], environment: [(String, String)] = []) throws {
    let directory = try TemporaryDirectory()
    let child = try ChildProcess(
      [RunningGateway.program] + arguments, environment: environment, output: directory["out"],
      errors: directory["err"])
    guard case .exited(let status) = try child.wait(until: .after(seconds: 60)) else { throw WireError.timedOut }
    self.status = status
    output = (try? directory.read("out")) ?? ""
    errors = (try? directory.read("err")) ?? ""
  }

  func json() throws -> JSONValue { try JSONValue(parsing: output) }

  /// The folder that holds Package.swift.
  static let root = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
}

/// Configuration files of one test.
struct Files {
  let directory: TemporaryDirectory

  init(_ files: [String: String]) throws {
    directory = try TemporaryDirectory()
    for (name, text) in files { try directory.write(text, to: name) }
  }

  subscript(name: String) -> String { directory[name] }
}
