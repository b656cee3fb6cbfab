import GatewayTesting
import Kernel
import Testing

@testable import Telemetry

@Suite struct StreamOutputTests {
  @Test func `lines go through as they are`() throws {
    let directory = try TemporaryDirectory()
    var output = StreamOutput(try File(directory["out"], .append))
    #expect(output.append("{}\n{}\n".utf8Span.span, count: 2) == SegmentFile.Outcome(lines: 2, bytes: 6))
    #expect(try directory.read("out") == "{}\n{}\n")
  }

  @Test func `a device that takes nothing drops the lines and names the reason`() throws {
    var output = StreamOutput(try File("/dev/full", .append))
    let outcome = output.append("{}\n".utf8Span.span, count: 1)
    #expect(outcome.lines == 0)
    #expect(outcome.failure?.errno == .noSpace)
  }

  @Test(.enabled(if: SmallDisk.isPossible, "mounting a tmpfs needs root"))
  func `a line that stopped half way is ended before the next one`() throws {
    let disk = try SmallDisk(kilobytes: 16)
    let path = disk.path + "/out"
    var output = StreamOutput(try File(path, .append))
    let line = String(repeating: "x", count: 9_999) + "\n"
    #expect(output.append((line + line).utf8Span.span, count: 2).lines == 1)
    try File(path, .append).truncate(to: 4)
    #expect(output.append("{}\n".utf8Span.span, count: 1).lines == 1)
    #expect(try TemporaryDirectory.contents(of: path) == "xxxx\n{}\n")
  }
}
