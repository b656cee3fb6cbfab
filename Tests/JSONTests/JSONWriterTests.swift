import JSON
import Kernel
import Testing

@Suite struct JSONWriterTests {
  @Test func `objects and arrays place their commas`() {
    var json = JSONWriter()
    json.object {
      $0.member("a", 1)
      $0.member("b", "two")
      $0.array("c") {
        $0.value(-3)
        $0.value(true)
        $0.null()
        $0.object { _ in }
        $0.array { $0.array { _ in } }
      }
      $0.object("d") { $0.member("e", 0.5) }
      $0.member("f", false)
    }
    #expect(json.text == #"{"a":1,"b":"two","c":[-3,true,null,{},[[]]],"d":{"e":0.5},"f":false}"#)
  }

  @Test func `several documents stand on lines of their own`() {
    var json = JSONWriter(capacity: 1)
    json.object { $0.member("n", Int.min) }
    json.endLine()
    json.object { $0.member("n", Int.max) }
    json.endLine()
    #expect(json.text == "{\"n\":-9223372036854775808}\n{\"n\":9223372036854775807}\n")
  }

  @Test(arguments: [
    (0.0, "0.0"), (-1.25, "-1.25"), (1e300, "1e+300"), (.leastNonzeroMagnitude, "5e-324"),
    (.infinity, "null"), (-.infinity, "null"), (.nan, "null"),
  ])
  func `a double is a JSON number or null`(value: Double, expected: String) {
    var json = JSONWriter()
    json.value(value)
    #expect(json.text == expected)
  }
}
