/// What no text of the project holds: work put off, paths of one machine, tabs, spaces at a line's end,
/// leftovers of a merge.
enum TextRule {
  // In two parts, so that this file passes.
  static let putOff = ["TO" + "DO", "FIX" + "ME", "XX" + "X:", "HA" + "CK:"]
  static let machinePaths = [
    "/ro" + "ot/", "/ho" + "me/", "/Us" + "ers/", "/wo" + "rk/", "/op" + "t/swift", "/tmp/w" + "t/",
  ]

  static func check(_ file: SourceFile) -> [Offence] {
    var offences: [Offence] = []
    func report(_ line: Int, _ message: String) {
      offences.append(Offence(path: file.path, line: line, message: message))
    }
    for (index, line) in file.textLines.enumerated() {
      for word in putOff where line.contains(word) { report(index + 1, "`\(word)`: do it, or leave it out") }
      for path in machinePaths where line.contains(path) { report(index + 1, "`\(path)` is a path of one machine") }
      for mark in ["<<<<<<< ", ">>>>>>> "] where line.hasPrefix(mark) { report(index + 1, "a merge's leftover") }
      if line.hasSuffix(" ") || line.hasSuffix("\t") { report(index + 1, "space at the end of the line") }
      if line.contains("\t"), file.name != "Makefile" { report(index + 1, "a tab") }
    }
    if file.text.utf8.contains(UInt8(ascii: "\r")) { report(0, "a carriage return") }
    if !file.text.isEmpty, file.text.utf8.last != UInt8(ascii: "\n") { report(0, "no newline at the end") }
    return offences
  }
}
