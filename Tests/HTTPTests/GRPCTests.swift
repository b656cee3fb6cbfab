import HTTP
import Kernel
import Testing

/// What gRPC writes into fields.
struct GRPCTests {
  @Test(arguments: [
    ("application/grpc", GRPC.Dialect.native), ("Application/gRPC+proto", .native), ("application/grpc;v=1", .native),
    ("application/grpc-web", .web), ("application/grpc-web+json", .web), ("application/grpc-web-text", .webText),
    ("application/grpc-web-text+proto", .webText), ("application/grpcx", .none), ("application/grpc-webx", .none),
    ("application/json", .none), ("", .none),
  ])
  func `the content type says how gRPC is spoken`(_ text: String, _ dialect: GRPC.Dialect) {
    #expect(GRPC.dialect(of: text.utf8Span.span) == dialect)
  }

  @Test(arguments: [
    ("1n", 1), ("20u", 20_000), ("150m", 150_000_000), ("2S", 2_000_000_000), ("3M", 180_000_000_000),
    ("1H", 3_600_000_000_000), ("0S", 0), ("99999999H", 366 * 24 * 3_600_000_000_000),
  ])
  func `a timeout has digits and a unit`(_ text: String, _ nanoseconds: Int) {
    #expect(GRPC.timeout(text.utf8Span.span) == nanoseconds)
  }

  @Test(arguments: ["", "S", "5", "5s", "-1S", "123456789S", "1.5S", " 1S"])
  func `anything else is no timeout`(_ text: String) { #expect(GRPC.timeout(text.utf8Span.span) == nil) }

  @Test func `a status is a short number`() {
    #expect(GRPC.status("14".utf8Span.span) == 14)
    for text in ["", "1234", "x", "-1"] { #expect(GRPC.status(text.utf8Span.span) == nil) }
  }

  @Test func `a message is percent-encoded`() {
    var out = ByteBuffer(capacity: 32)
    GRPC.appendMessage("50% ü\n".utf8Span.span, to: &out)
    #expect(String(decoding: out.span.indices.map { out.span[$0] }, as: UTF8.self) == "50%25 %c3%bc%0a")
  }
}
