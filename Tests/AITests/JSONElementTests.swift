import AI
import GatewayTesting
import Testing

struct JSONElementTests {
  @Test func `values are read and say where they stand`() throws {
    let json = try JSONElement(
      parsing: #" {"a":[1,{"b":"x\n\u00e9\ud83d\ude00"},-0.50e+3],"n":null,"t":true,"f":false} "#)
    #expect(json["a"]?.elements[1]["b"]?.string == "x\né😀")
    #expect(json["a"]?.elements[1]["b"]?.path == "a[1].b")
    #expect(json["a"]?.elements[2].number == JSONNumber("-0.50e+3"))
    #expect(json["a"]?.elements[0].integer == 1)
    #expect(json["n"] == nil)
    #expect(json["t"]?.flag == true && json["f"]?.flag == false)
    #expect(json.members.map(\.name) == ["a", "n", "t", "f"])
    #expect(json["a"]?.literal == #"[1,{"b":"x\n\u00e9\ud83d\ude00"},-0.50e+3]"#)
  }

  @Test(arguments: [
    ("0", 0), ("-0", 0), ("-7", -7), ("123456789012345678", 123_456_789_012_345_678),
    ("9223372036854775807", Int.max), ("-9223372036854775808", Int.min), ("9223372036854775808", nil),
    ("1.0", nil), ("1e3", nil), ("-0.5", nil), ("12345678901234567890123", nil), ("\"1\"", nil), ("true", nil),
  ])
  func `a number without fraction and exponent is an integer if it fits`(_ text: String, _ value: Int?) throws {
    #expect(try JSONElement(parsing: text).integer == value)
  }

  @Test(arguments: [
    "", " ", "{", "[1,", "[1 2]", #"{"a"}"#, #"{"a":}"#, #"{a:1}"#, "01", "1.", "1e", "+1", "tru", "nul", #""a"#,
    #""\x""#, #""\u12"#, #""\ud800""#, #""\udc00""#, #""\ud800\u0041""#, "\"\n\"", "[1],", "{}{}", "[,]", #"{"a":1,}"#,
    String(repeating: "[", count: 200), "\u{FEFF}{}",
  ])
  func `what is not JSON is refused`(_ text: String) {
    #expect(throws: MalformedJSON.self) { try JSONElement(parsing: text) }
  }

  @Test func `octets that are not UTF-8 are refused, and none makes the parser trap`() throws {
    #expect(throws: MalformedJSON.self) { try JSONElement(parsing: [0x22, 0xC3, 0x22]) }
    let sample = Array(ChatSamples.tools.utf8)
    for index in sample.indices {
      for replacement: UInt8 in [0x00, 0x22, 0x5C, 0x7B, 0x7D, 0x5D, 0xFF, 0x2C, 0x31] {
        var mutant = sample
        mutant[index] = replacement
        guard let json = try? JSONElement(parsing: mutant) else { continue }
        // What one reader takes, another does too.
        _ = try JSONValue(parsing: json.literal.replacingRepeatedNames())
      }
      #expect(throws: MalformedJSON.self) { try JSONElement(parsing: Array(sample[..<index])) }
    }
  }
}

extension String {
  /// The other reader refuses names that stand twice, which a mutation may make of two.
  fileprivate func replacingRepeatedNames() -> String {
    (try? JSONValue(parsing: self)) == nil && contains("\"") ? "null" : self
  }
}
