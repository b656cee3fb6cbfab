/// Dependencies point down: what each target below Sources may import.
///
/// The C modules stay inside Kernel and Foreign, and so does Glibc; Foundation is nowhere.
enum ImportRule {
  static let allowed: [String: Set<String>] = [
    "Kernel": ["CLinux", "Glibc"],
    "Foreign": [
      "Kernel", "CYAML", "CLZ4", "CAres", "CNghttp2", "COpenSSL", "CZlib", "CZstd", "CPCRE2", "CExpat", "Glibc",
    ],
    "Configuration": ["Kernel", "Foreign"],
    "HTTP": ["Kernel"],
    "JSON": ["Kernel"],
    "Detection": ["Kernel"],
    "JSONSchema": ["Kernel", "JSON", "Foreign", "Configuration"],
    "AI": ["Kernel", "JSON", "Detection"],
    "Runtime": ["Kernel", "Foreign"],
    "Telemetry": ["Kernel", "Foreign", "JSON", "HTTP", "Runtime", "Configuration", "Logging"],
    "PluginKit": ["Kernel", "Foreign", "HTTP", "JSON", "Detection", "Runtime", "Configuration"],
    "Plugins": [
      "Kernel", "Foreign", "HTTP", "JSON", "Runtime", "Configuration", "PluginKit", "JSONSchema", "Detection",
    ],
    "Engine": [
      "Kernel", "Foreign", "HTTP", "JSON", "JSONSchema", "Detection", "AI", "Runtime", "Configuration", "PluginKit",
      "Telemetry",
    ],
    "Admin": [
      "Kernel", "Foreign", "HTTP", "JSON", "Runtime", "Configuration", "PluginKit", "Telemetry", "Engine",
    ],
    // For tests only: starts real processes and speaks to them, so it sees nothing of the product but Kernel.
    "GatewayTesting": ["Kernel", "CLinux", "Glibc"],
    "sluice": [
      "Kernel", "Foreign", "HTTP", "JSON", "AI", "Runtime", "Configuration", "PluginKit", "Telemetry", "Engine",
      "Plugins",
      "Admin", "ArgumentParser", "Logging",
    ],
  ]

  /// Part of the language, open to all.
  static let language: Set<String> = ["Synchronization", "Swift"]

  /// Files that need one module more, with the reason.
  static let exceptions: [String: (module: String, reason: String)] = [
    "Sources/Runtime/Loop.swift": ("Glibc", "an executor knows its own thread by pthread_self")
  ]

  static func check(_ file: SourceFile) -> [Offence] {
    guard file.isSwift, let target = file.target else { return [] }
    guard let below = allowed[target] else {
      return [Offence(path: file.path, line: 0, message: "target \(target) is not in the import table")]
    }
    var offences: [Offence] = []
    for (index, line) in file.swiftLines.enumerated() {
      guard let module = importedModule(line.words) else { continue }
      if below.contains(module) || language.contains(module) { continue }
      if exceptions[file.path]?.module == module { continue }
      offences.append(Offence(path: file.path, line: index + 1, message: "\(target) may not import \(module)"))
    }
    return offences
  }

  /// `package import struct Kernel.ByteBuffer` imports Kernel.
  static func importedModule(_ words: [String]) -> String? {
    let modifiers: Set<String> = ["package", "public", "internal", "fileprivate", "private", "@testable"]
    var rest = words[...]
    while let word = rest.first, modifiers.contains(word) || word.hasPrefix("@") { rest = rest.dropFirst() }
    guard rest.first == "import" else { return nil }
    let kinds: Set<String> = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
    return rest.dropFirst().first { !kinds.contains($0) }
  }
}
