import Foreign
import HTTP
import Kernel
import PluginKit
import Testing

/// `docs/FAULTS.md` says of every fault what it is; its first table is written from the declarations.
@Suite(.serialized) struct FaultReferenceTests {
  private let path: String
  private let text: String

  init() throws {
    let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    path = "/\(root)/docs/FAULTS.md"
    text = String(decoding: try TextFiles.read(path, limit: 1 << 20), as: UTF8.self)
  }

  /// With `SLUICE_WRITE_DOCS` set, the table is written instead of compared.
  @Test func `every fault is documented as it is declared`() throws {
    var table = "| reason | origin | status | what the caller reads | |\n|---|---|---|---|---|\n"
    for fault in Fault.all {
      let after = fault.retryAfter > 0 ? "`Retry-After: \(fault.retryAfter)`" : ""
      let closes = fault.closes ? "closes" : ""
      let notes = [after, closes].filter { !$0.isEmpty }.joined(separator: ", ")
      table += "| `\(fault.reason)` | \(fault.origin.rawValue) | \(fault.status) | \(fault.detail) | \(notes) |\n"
    }
    let open = try #require(text.firstRange(of: "<!-- faults: written from Fault.all; a test compares -->\n"))
    let close = try #require(text.firstRange(of: "<!-- end of faults -->"))
    if ProcessEnvironment.value("SLUICE_WRITE_DOCS") != nil {
      let page = text[..<open.upperBound] + table + text[close.lowerBound...]
      try File(path, .replace).writeAll(String(page).utf8Span.span)
    } else {
      let isCurrent = text[open.upperBound..<close.lowerBound] == table
      #expect(isCurrent, "run the tests with SLUICE_WRITE_DOCS=1 to write \(path) anew")
    }
  }

  @Test(arguments: HTTPError.allCases)
  func `every mistake in a message is documented with its status`(error: HTTPError) {
    let isThere = text.contains("\n| `\(error.reason)` | \(error.status) | ")
    #expect(isThere, "docs/FAULTS.md lacks `\(error.reason)` with status \(error.status)")
  }

  @Test func `no mistake is documented that does not exist`() {
    let known = Set(HTTPError.allCases.map { "\($0.reason)" } + Fault.all.map { "\($0.reason)" })
    for line in text.split(separator: "\n") where line.hasPrefix("| `") {
      let reason = line.dropFirst(3).prefix { $0 != "`" }
      #expect(known.contains(String(reason)), "\(reason) is no reason")
    }
  }

  @Test func `every reason is its own word in snake case`() {
    let reasons = Fault.all.map { "\($0.reason)" }
    #expect(Set(reasons).count == reasons.count)
    for reason in reasons {
      #expect(reason.utf8.allSatisfy { ($0 >= 0x61 && $0 <= 0x7a) || ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x5f })
    }
  }

  @Test(arguments: Fault.all)
  func `a fault has a status of its kind`(fault: Fault) {
    switch fault.origin {
    // 501 is the client's too: it asked for what no gateway does.
    case .client, .policy: #expect((400...499).contains(fault.status) || fault.status == 501)
    case .upstream, .gateway: #expect((500...599).contains(fault.status))
    }
    #expect(fault.detail.description.hasSuffix("."))
  }
}
