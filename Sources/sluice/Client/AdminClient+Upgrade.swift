import ArgumentParser
import Engine
import Kernel

/// Replacing the gateway: whoever answers afterwards may be another process.
extension AdminClient {
  private static let path = "/api/v1/upgrade"
  /// As long as `upgrade_limit` may be, and some.
  private static let patience = 660_000_000_000

  /// Asks for an upgrade and tells how it went; exits with 1 when the old process goes on.
  func upgrade(to binary: String?, json: Bool) throws {
    let answer: AdminCall.Answer
    if canWrite {
      let query = binary.map { "?binary=" + Self.encoded($0) } ?? ""
      answer = try send("POST", Self.path + query, json: json, patience: Self.patience)
    } else {
      guard binary == nil else {
        throw fail("a signal cannot name a program: let `admin` be a Unix socket, or replace the program itself")
      }
      answer = try upgradeBySignal(json: json)
    }
    if json || answer.status == 200 { Terminal.print(answer.body) } else { Terminal.error(answer.body) }
    if answer.status != 200 { throw ExitCode(1) }
  }

  private func upgradeBySignal(json: Bool) throws -> AdminCall.Answer {
    let (process, before) = try findProcess()
    let count = before["failed_upgrades"]
    try signal(ProcessSignal.secondUser, to: process)
    let end = Clock.monotonic + Self.patience
    while Clock.monotonic < end {
      ProcessPause.sleep(nanoseconds: Self.pause)
      // Neither may answer for a moment: a connection to the one that drains is cut when it ends.
      guard let now = try? status(isQuiet: true) else { continue }
      if let pid = now["pid"], pid != before["pid"] {
        let text = "upgrade done: process \(pid) serves, process \(process) drains\n"
        return AdminCall.Answer(status: 200, body: json ? "{\"succeeded\":true,\"pid\":\(pid)}\n" : text)
      }
      if now["failed_upgrades"] != count {
        let answer = try get(Self.path)
        return json ? AdminCall.Answer(status: answer.status, body: try get(Self.path, json: true).body) : answer
      }
    }
    throw fail("process \(process) got the signal and did not act on it; its log may say why")
  }

  /// Percent-encodes all but the plainest bytes.
  private static func encoded(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF")
    return text.utf8.map { byte -> String in
      let isPlain = Character(Unicode.Scalar(byte)).isLetter && byte < 128 || byte == UInt8(ascii: "/")
      return isPlain ? String(Unicode.Scalar(byte)) : "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
    }.joined()
  }
}
