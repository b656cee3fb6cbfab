import Kernel
@testable import Engine

/// Small routes and requests at random, from few words, so that they often meet.
enum RandomRoutes {
  static func pattern(_ random: inout SplitMix) throws -> RoutePattern {
    let paths = try (0..<Int.random(in: 1...2, using: &random)).map { _ in try template(&random) }
    return RoutePattern(
      paths: paths,
      hosts: some(["h.x", "g.h.x", "*.x", "*.h.x", "y"], of: &random),
      methods: some(["GET", "HEAD", "POST", "OPTIONS", "PURGE"], of: &random),
      headers: conditions(&random), query: conditions(&random), listeners: some([0, 1], of: &random))
  }

  static func call(_ random: inout SplitMix) -> Call {
    let depth = Int.random(in: 1...4, using: &random)
    let path = (0..<depth).map { _ in "/" + ["a", "b", "c", "", "ab", "abc"].randomElement(using: &random)! }.joined()
    let fields = { (random: inout SplitMix) in
      Dictionary(
        uniqueKeysWithValues: ["p", "q"].filter { _ in Bool.random(using: &random) }.map {
          ($0, ["1", "2"].randomElement(using: &random)!)
        })
    }
    let method = ["GET", "HEAD", "POST", "PURGE", "PUT", "OPTIONS"].randomElement(using: &random)!
    let host = ["h.x", "H.X:8", "g.h.x", "a.g.h.x", "z.x.", "y", "n", ""].randomElement(using: &random)!
    let preflight = method == "OPTIONS" && Bool.random(using: &random) ? "POST" : nil
    let listener = Int.random(in: 0...1, using: &random)
    let headers = fields(&random)
    return Call(
      method: method, path: path, host: host, preflight: preflight, listener: listener, headers: headers,
      query: fields(&random))
  }

  private static func template(_ random: inout SplitMix) throws -> PathTemplate {
    let depth = Int.random(in: 0...3, using: &random)
    var text = ""
    for level in 0..<depth {
      text += "/" + ["a", "b", "", "{p\(level)}", "a{p\(level)}", "ab{p\(level)}"].randomElement(using: &random)!
    }
    if text.isEmpty || Bool.random(using: &random) { text += "/*" }
    // An empty segment may stand at the end only.
    while text.contains("//") { text = text.replacing("//", with: "/") }
    return try PathTemplate(parsing: text)
  }

  private static func conditions(_ random: inout SplitMix) -> [RouteCondition] {
    guard Int.random(in: 0..<3, using: &random) == 0 else { return [] }
    return [
      RouteCondition(
        name: ["p", "q"].randomElement(using: &random)!, value: [nil, "1", "2"].randomElement(using: &random)!)
    ]
  }

  private static func some<T>(_ values: [T], of random: inout SplitMix) -> [T] {
    Bool.random(using: &random) ? [] : values.filter { _ in Int.random(in: 0..<3, using: &random) == 0 }
  }
}
