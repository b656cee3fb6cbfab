import PluginKit
import Testing

@testable import Plugins

@Suite struct TraceTests {
  private static let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

  /// What the target gets of the trace, and the exchange's own record of it.
  private func forward(_ fields: [String], _ entry: String = "trace: {}") throws -> ([String], TraceContext) {
    let chain = try PluginFixture.chain(entry, of: [PluginDefinition(Trace.self)])
    let lines = fields.map { $0 + "\n" }.joined()
    var fixture = try ExchangeFixture("GET / HTTP/1.1\nHost: a.example\n\(lines)\n")
    _ = chain.runRequestHeadAtOnce(&fixture.exchange)
    return (fixture.forwarded.filter { $0.lowercased().hasPrefix("trace") }, fixture.exchange.trace)
  }

  private func value(_ fields: [String]) -> [String] {
    guard fields.count(where: { $0.hasPrefix("traceparent: ") }) == 1 else { return [] }
    return fields.first { $0.hasPrefix("traceparent: ") }!.dropFirst(13).split(separator: "-").map(String.init)
  }

  @Test func `a trace is continued with a span of the gateway's own`() throws {
    let (fields, trace) = try forward(["traceparent: \(Self.parent)", "tracestate: a=1,b@c=2"])
    let parts = value(fields)
    #expect(parts.count == 4)
    #expect(parts[0] == "00" && parts[1] == "0af7651916cd43dd8448eb211c80319c" && parts[3] == "01")
    #expect(parts[2] != "b7ad6b7169203331" && parts[2].count == 16 && parts[2] != "0000000000000000")
    #expect(fields.contains("tracestate: a=1,b@c=2"))
    #expect(trace.parent == 0xb7ad_6b71_6920_3331)
    #expect(trace.traceHigh == 0x0af7_6519_16cd_43dd && trace.traceLow == 0x8448_eb21_1c80_319c)
    #expect(trace.isSampled)
  }

  @Test func `without a trace one begins, and a state without it is dropped`() throws {
    let (fields, trace) = try forward(["tracestate: a=1"])
    #expect(value(fields).count == 4)
    #expect(fields.count == 1)
    #expect(trace.parent == 0 && trace.isActive && trace.isSampled)
    let other = try forward([]).1
    #expect(other.traceHigh != trace.traceHigh && other.span != trace.span)
  }

  @Test(arguments: [
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331", "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
    "00-00000000000000000000000000000000-b7ad6b7169203331-01",
    "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
    "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g",
    "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01x", "0-af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "",
  ])
  func `what is not valid begins a trace, and takes the state with it`(parent: String) throws {
    let (fields, trace) = try forward(["traceparent: \(parent)", "tracestate: a=1"])
    let parts = value(fields)
    #expect(parts.count == 4 && fields.count == 1)
    #expect(parts.count == 4 && !parts[1].lowercased().hasPrefix("0af7651916cd43dd"))
    #expect(trace.parent == 0)
  }

  @Test func `of two parents none is believed`() throws {
    let (fields, trace) = try forward(["traceparent: \(Self.parent)", "Traceparent: \(Self.parent)"])
    #expect(value(fields).count == 4)
    #expect(fields.count == 1 && trace.parent == 0)
  }

  @Test(arguments: [
    "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff",
    "fe-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more-of-it",
  ])
  func `a later version is read as far as it is known, and sent on as this one`(parent: String) throws {
    let parts = value(try forward(["traceparent: \(parent)"]).0)
    #expect(parts.count == 4)
    #expect(parts[0] == "00" && parts[1] == "0af7651916cd43dd8448eb211c80319c" && parts[3] == "01")
  }

  @Test(arguments: [
    "A=1", "=1", "a", "a=", "a=1,a=2", "a=b=c", "@b=1", "a@=1", "a@b@c=1", "a@bbbbbbbbbbbbbbb=1", "a=\u{e9}", "1a=1",
    (0..<33).map { "k\($0)=1" }.joined(separator: ","),
  ])
  func `a state that is not valid is dropped, and the trace goes on`(state: String) throws {
    let (fields, trace) = try forward(["traceparent: \(Self.parent)", "tracestate: \(state)"])
    #expect(fields.count == 1)
    #expect(trace.parent != 0)
  }

  @Test(arguments: [
    "a=1", "a=1,,b=2", " a=1 ,\tb=2 ", "1a@b=1", "a_-*/=x y", (0..<32).map { "k\($0)=1" }.joined(separator: ","),
  ])
  func `a state that is valid is passed on as it is`(state: String) throws {
    let (fields, _) = try forward(["traceparent: \(Self.parent)", "tracestate: \(state)", "tracestate: z=9"])
    #expect(fields.count(where: { $0.hasPrefix("tracestate: ") }) == (state.contains("k31") ? 0 : 2))
  }

  @Test func `who is not sampled is not marked, and a continued trace keeps its mark`() throws {
    #expect(value(try forward([], "trace: { sample: 0% }").0).last == "00")
    #expect(value(try forward(["traceparent: \(Self.parent)"], "trace: { sample: 0% }").0).last == "01")
    let unmarked = Self.parent.dropLast(2) + "00"
    #expect(value(try forward(["traceparent: \(unmarked)"]).0).last == "00")
  }

  @Test func `a caller whose trace is not accepted gets one of the gateway's`() throws {
    let (fields, trace) = try forward(["traceparent: \(Self.parent)", "tracestate: a=1"], "trace: { accept: false }")
    #expect(fields.count == 1 && trace.parent == 0)
  }

  @Test func `the example of its page loads`() throws {
    _ = try PluginFixture.chain(
      ofFile: try Page("plugins/trace.md").example("yaml"), of: [PluginDefinition(Trace.self)])
  }
}
