import JSON
import JSONSchema
import Kernel
import Testing

@Suite struct SchemaTests {
  /// What a document violates, as `keyword: detail`.
  private func violations(_ schema: String, _ text: String) throws -> [String] {
    var validator = SchemaValidator(try Schema(Array(schema.utf8)))
    var document = JSONDocument()
    let bytes = Array(text.utf8)
    try document.parse(bytes.span)
    let isValid = validator.validate(document, bytes.span)
    #expect(isValid == validator.violations.isEmpty)
    return validator.violations.map { "\($0.keyword): \($0.detail)" }
  }

  @Test(arguments: [
    // schema, what fits, what does not.
    (#"{"type":"integer"}"#, ["1", "1.0", "1e3", "-0"], ["1.5", "\"1\"", "null", "1e-1"]),
    (#"{"type":["string","null"]}"#, ["\"\"", "null"], ["0", "true"]),
    (#"{"enum":[1,"a",{"x":[1.0]}]}"#, ["1.0", "\"\\u0061\"", #"{"x":[1]}"#], ["2", #"{"x":[1],"y":2}"#]),
    (#"{"const":{"a":1,"b":2}}"#, [#"{"b":2.0,"a":1}"#], [#"{"a":1}"#, "[]"]),
    (
      #"{"minimum":1.1,"exclusiveMaximum":3}"#, ["1.1", "2.99999999999999999999999", "\"x\""],
      ["1.0999999999999999999", "3", "3.0"]
    ),
    (#"{"multipleOf":0.0001}"#, ["0.0075", "1e5", "0"], ["0.00751"]),
    (#"{"multipleOf":3}"#, ["9", "9e30", "-3"], ["1e30", "10"]),
    (#"{"minLength":2,"maxLength":3}"#, ["\"ab\"", "\"𝄞é\"", #""\ud834\udd1eab""#], ["\"a\"", "\"abcd\""]),
    (#"{"minLength":9,"maxLength":9}"#, ["\"é𝄞ééééééé\"", "\"abcdefghi\""], ["\"é𝄞éééééé\"", "\"éabcdefghi\""]),
    (#"{"pattern":"^/é"}"#, ["\"/é\"", #""\/\u00e9x""#, "7"], ["\"x/é\"", "\"/\"", "\"\"", #""\u002fe""#]),
    (#"{"pattern":"^"}"#, ["\"\""], []),
    (#"{"pattern":"^\\d{3}$"}"#, ["\"123\"", "7"], ["\"123\\n\"", "\"1234\"", "\"١٢٣\""]),
    (#"{"required":["a"],"properties":{"a":{"type":"string"}}}"#, [#"{"a":"x"}"#, "[]"], ["{}", #"{"a":1}"#]),
    (
      #"{"properties":{"a":true},"patternProperties":{"^x":{"type":"null"}},"additionalProperties":false}"#,
      [#"{"a":1,"xy":null}"#], [#"{"b":1}"#, #"{"xa":1}"#]
    ),
    (
      #"{"prefixItems":[{"type":"string"}],"items":{"type":"number"}}"#, ["[]", "[\"a\",1,2]"],
      ["[1]", "[\"a\",\"b\"]"]
    ),
    (#"{"contains":{"const":1},"minContains":2,"maxContains":3}"#, ["[1,1]", "[1,1,1,2]"], ["[1]", "[1,1,1,1]"]),
    (#"{"uniqueItems":true}"#, ["[1,true,\"1\",[1],{\"a\":1}]"], ["[1,1.0]", #"[{"a":1,"b":2},{"b":2,"a":1}]"#]),
    (#"{"propertyNames":{"maxLength":2}}"#, [#"{"ab":1}"#], [#"{"abc":1}"#]),
    (#"{"dependentRequired":{"a":["b"]}}"#, [#"{"a":1,"b":2}"#, "{}"], [#"{"a":1}"#]),
    (#"{"dependentSchemas":{"a":{"minProperties":2}}}"#, [#"{"a":1,"b":2}"#], [#"{"a":1}"#]),
    (#"{"anyOf":[{"type":"string"},{"minimum":5}]}"#, ["\"x\"", "5"], ["4"]),
    (#"{"oneOf":[{"multipleOf":2},{"multipleOf":3}]}"#, ["2", "9"], ["6", "5"]),
    (#"{"not":{"type":"string"}}"#, ["1"], ["\"\""]),
    (
      #"{"if":{"properties":{"k":{"const":1}}},"then":{"required":["a"]},"else":{"required":["b"]}}"#,
      [#"{"k":1,"a":0}"#, #"{"k":2,"b":0}"#], [#"{"k":1}"#, #"{"k":2,"a":0}"#]
    ),
    (##"{"$ref":"#/$defs/a~1b","$defs":{"a/b":{"type":"null"}}}"##, ["null"], ["1"]),
    (
      ##"{"properties":{"next":{"$ref":"#"}},"additionalProperties":false}"##,
      [#"{"next":{"next":{}}}"#], [#"{"next":{"x":1}}"#]
    ),
    (
      #"{"allOf":[{"properties":{"a":true}}],"anyOf":[{"required":["b"],"properties":{"b":true}},true],"unevaluatedProperties":false}"#,
      [#"{"a":1}"#, #"{"a":1,"b":1}"#], [#"{"a":1,"c":1}"#]
    ),
    (
      #"{"prefixItems":[true],"contains":{"type":"string"},"unevaluatedItems":false}"#, [#"[1,"a","b"]"#],
      [#"[1,"a",2]"#]
    ),
    ("false", [], ["1"]), ("true", ["1"], []),
    // Numbers at their bounds, written with few digits and with many.
    (
      #"{"type":"integer","minimum":0,"maximum":10}"#, ["0", "-0", "10", "1e1", "10.000000000000000000", "\u{20}7"],
      ["-1", "11", "0.5", "10.000000000000000001", "-1e-30", "\"5\"", "1e400"]
    ),
    (
      #"{"exclusiveMinimum":0.1,"exclusiveMaximum":0.3}"#, ["0.2", "0.10000000000000001", "0.29999999999999999"],
      ["0.1", "0.3", "0.10", "3e-1", "0.09999999999999999", "-0.2"]
    ),
    (
      #"{"minimum":123456789012345,"maximum":12345678901234567890}"#,
      ["123456789012345", "12345678901234567890", "999999999999999"], ["123456789012344", "12345678901234567891"]
    ),
    (#"{"minimum":3,"maximum":2}"#, ["null"], ["2", "2.5", "3"]),
    // Texts and names of all lengths, among others that differ from them in the middle only.
    (
      #"{"enum":["","a","sevenal","eightall","a text of length 16","a text of length 17x","\u00e9"]}"#,
      [
        "\"\"", "\"a\"", "\"sevenal\"", "\"eightall\"", "\"a text of length 16\"", "\"a text of length 17x\"", "\"é\"",
        #""\u0061""#,
      ],
      ["\"b\"", "\"sevenall\"", "\"a text of_length 17x\"", "1", "null", "\"\\u0000\"", "[]"]
    ),
    (
      #"{"properties":{"a-long-name-of-a-member-x":{"type":"null"}},"additionalProperties":{"type":"number"}}"#,
      [
        #"{"a-long-name-of-a-member-x":null,"a-long-name-of_a-member-x":1}"#,
        #"{"a-long-n\u0061me-of-a-member-x":null}"#,
      ],
      [#"{"a-long-name-of-a-member-x":1}"#, #"{"a-long-name-of_a-member-x":null}"#]
    ),
    (
      #"{"required":["a","b"],"properties":{"b":{"type":"null"}},"additionalProperties":{"type":"number"}}"#,
      [#"{"a":1,"b":null}"#, #"{"\u0061":1,"b":null,"a":2}"#],
      [#"{"a":null,"b":null}"#, #"{"b":null,"c":1}"#, #"{"a":1,"b":null,"b":null}"#]
    ),
    (
      #"{"patternProperties":{"^x":{"minimum":1},"y$":{"maximum":2}},"properties":{"xy":{"type":"integer"}}}"#,
      [#"{"xy":2,"xa":9,"by":0,"c":"z"}"#], [#"{"xy":1.5}"#, #"{"xy":3}"#, #"{"xy":0}"#, #"{"xa":0}"#]
    ),
  ])
  func `documents are told apart as the specification says`(schema: String, fits: [String], fails: [String]) throws {
    for text in fits {
      let found = try violations(schema, text)
      #expect(found == [], "\(text)")
    }
    for text in fails {
      let found = try violations(schema, text)
      #expect(found != [], "\(text)")
    }
  }

  @Test func `every violation is told`() throws {
    let schema =
      #"{"required":["a","b"],"properties":{"c":{"type":"integer","minimum":3},"d":{"items":{"maxLength":1}}}}"#
    #expect(
      try violations(schema, #"{"c":-1.5,"d":["x","yy","zz"]}"#) == [
        "type: must be integer", "minimum: must be at least 3", "maxLength: must have at most 1 characters",
        "maxLength: must have at most 1 characters", "required: `a` is missing", "required: `b` is missing",
      ])
  }

  @Test func `every name of many counts, those that must be there and those that have schemas`() throws {
    let names = (0..<150).map { "member-\($0)" }
    let required = names.map { "\"\($0)\"" }.joined(separator: ",")
    let properties = names.map { "\"\($0)\":{\"type\":\"null\"}" }.joined(separator: ",")
    let schema = "{\"required\":[\(required)],\"properties\":{\(properties)},\"additionalProperties\":false}"
    func object(_ members: [String]) -> String { "{" + members.joined(separator: ",") + "}" }
    let members = names.map { "\"\($0)\":null" }
    #expect(try violations(schema, object(members.reversed())) == [])
    for index in [0, 1, 63, 64, 65, 149] {
      var fewer = members
      fewer.remove(at: index)
      #expect(try violations(schema, object(fewer)) == ["required: `member-\(index)` is missing"])
      var wrong = members
      wrong[index] = "\"member-\(index)\":1"
      #expect(try violations(schema, object(wrong)) == ["type: must be null"])
    }
    #expect(try violations(schema, object(members + ["\"member-150\":null"])) == ["false: nothing may stand here"])
  }

  @Test func `a schema that refers to itself without end is given up`() throws {
    #expect(try violations(##"{"$ref":"#"}"##, "1") == ["$ref: is nested too deeply, or takes too long to check"])
  }

  @Test func `schemas that would take for ever are given up`() throws {
    let branch = ##"{"anyOf":[{"$ref":"#/$defs/n"},{"$ref":"#/$defs/n"}]}"##
    let schema = ##"{"$ref":"#/$defs/n","$defs":{"n":\##(branch)}}"##
    #expect(try violations(schema, "1") != [])
  }

  @Test func `what could not be decided makes nothing valid`() throws {
    let text = String(repeating: "a", count: 40) + "b EVIL"
    #expect(try violations(#"{"not":{"pattern":"(a+)+c|EVIL"}}"#, "\"\(text)\"") != [])
    #expect(try violations(#"{"patternProperties":{"^(a+)+c|bad":false}}"#, "{\"\(text) bad\":1}") != [])
    #expect(try violations(#"{"if":{"pattern":"(a+)+c"},"then":false}"#, "\"\(text) c\"") != [])
    let deep = String(repeating: "[", count: 120) + "1" + String(repeating: "]", count: 120)
    let schema = ##"""
      {"not":{"anyOf":[{"$ref":"#/$defs/d"},{"type":"array"}]},
       "$defs":{"d":{"anyOf":[{"items":{"$ref":"#/$defs/d"},"minItems":9},{"items":{"$ref":"#/$defs/d"},"minItems":8}]}}}
      """##
    #expect(try violations(schema, deep) != [])
  }

  @Test func `a pattern that backtracks without end does not match`() throws {
    let text = "\"" + String(repeating: "a", count: 200) + "!\""
    #expect(try violations(#"{"pattern":"^(a+)+$"}"#, text) != [])
  }

  @Test(arguments: [
    ("{\n\"type\": \"strin\"}", "there is no type \"strin\"", 10),
    (#"{"pattern":"("}"#, "is no pattern that can be used", 11),
    (##"{"$ref":"#/$defs/x"}"##, "leads to nothing in this schema", 8),
    (#"{"$ref":"other.json"}"#, "is not in this file", 8),
    (#"{"multipleOf":0}"#, "`multipleOf` is above zero", 14),
    (#"{"minLength":-1}"#, "a count belongs here", 13),
    (#"{"allOf":{}}"#, "a list of schemas belongs here", 9),
    (#"{"not":3}"#, "a schema is an object, true or false", 7),
    (#"{"$schema":"http://json-schema.org/draft-07/schema#"}"#, "only schemas of draft 2020-12 are read", 11),
    (#"{"type":"#, "the schema is no JSON", 8), (#"{"type":"null","type":"null"}"#, "stands twice", 15),
  ])
  func `mistakes of a schema are found when it is compiled`(schema: String, message: String, offset: Int) {
    do throws(SchemaMistake) {
      _ = try Schema(Array(schema.utf8))
      Issue.record("no mistake was found in \(schema)")
    } catch {
      #expect(error.message.contains(message), "\(error.message)")
      #expect(error.offset == offset)
    }
  }

  /// The official tests are another project's and are not kept here: `SLUICE_SCHEMA_SUITE` names the directory
  /// `tests/draft2020-12` of JSON-Schema-Test-Suite.
  @Test(.enabled(if: ProcessEnvironment.value("SLUICE_SCHEMA_SUITE") != nil, "`make test` fetches the official suite"))
  func `the official test suite passes`() throws {
    let directory = try #require(ProcessEnvironment.value("SLUICE_SCHEMA_SUITE"))
    var run = 0
    for file in SchemaSuite.files {
      for test in try SchemaSuite.tests(directory + "/" + file) {
        if SchemaSuite.needsOtherFiles(test.schema) { continue }
        run += 1
        do {
          let isValid = try violations(test.schema, test.data).isEmpty
          #expect(isValid == test.isValid, "\(file): \(test.description): \(test.data)")
        } catch let error as SchemaMistake where error.message.contains("is not in this file") {
          run -= 1
        } catch { Issue.record("\(file): \(test.description): \(error)") }
      }
    }
    #expect(run > 900)
  }
}
