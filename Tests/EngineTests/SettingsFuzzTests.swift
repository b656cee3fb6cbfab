import Configuration
import Testing

@testable import Engine

/// Whatever a file holds, loading it ends, and either with settings or with an error that says why not.
@Suite struct SettingsFuzzTests {
  private static let seeds = [
    "everything.conf", "proxy.conf", "minimal.conf", "plugins.conf", "secrets.conf", "targets.conf",
  ]

  /// A generator that gives the same numbers for the same seed (splitmix64).
  private struct Numbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state &+= 0x9e37_79b9_7f4a_7c15
      var z = state
      z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
      z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
      return z ^ (z >> 31)
    }
  }

  @Test(arguments: 0..<8 as Range<UInt64>) func `mutated files are loaded or refused`(_ seed: UInt64) throws {
    var numbers = Numbers(state: seed)
    for round in 0..<250 {
      let name = try #require(Self.seeds.randomElement(using: &numbers))
      var bytes = Array(try #require(SettingsFixture.text(of: name)).utf8)
      for _ in 0...Int.random(in: 0..<6, using: &numbers) { Self.mutate(&bytes, &numbers) }
      let loaded = load(bytes)
      #expect((loaded.settings == nil) == loaded.diagnostics.hasErrors, "seed \(seed), round \(round)")
      #expect(loaded.diagnostics.hasErrors == !loaded.diagnostics.sorted.allSatisfy { $0.severity == .warning })
      let text = loaded.diagnostics.text
      #expect(text.unicodeScalars.allSatisfy { $0.value >= 0x20 || $0 == "\n" }, "seed \(seed), round \(round)")
      if let settings = loaded.settings { _ = settings.describe(plugins: [Stamp.declaration]).line }
    }
  }

  @Test(arguments: 0..<4 as Range<UInt64>) func `random bytes are refused`(_ seed: UInt64) {
    var numbers = Numbers(state: seed)
    for _ in 0..<250 {
      let alphabet = Array("{}[]:,-?!&*|>'\"%@`# \n\tab01$~.".utf8)
      let bytes = (0..<Int.random(in: 0..<200, using: &numbers)).map { _ in
        seed.isMultiple(of: 2)
          ? UInt8.random(in: 0...255, using: &numbers) : alphabet.randomElement(using: &numbers) ?? 0
      }
      let loaded = load(bytes)
      #expect(loaded.settings == nil && loaded.diagnostics.hasErrors)
      _ = loaded.diagnostics.text
    }
  }

  private func load(_ bytes: [UInt8]) -> LoadedSettings {
    let files = ConfigurationFiles(
      read: { path, _ in path == "fuzz.conf" ? .success(bytes) : .failure(.init(reason: "none")) }, matching: { [$0] })
    return GatewaySettings.load(
      file: "fuzz.conf", environment: SettingsFixture.environment, files: files, plugins: [Stamp.declaration])
  }

  private static func mutate(_ bytes: inout [UInt8], _ numbers: inout Numbers) {
    guard !bytes.isEmpty else { return }
    let index = Int.random(in: bytes.indices, using: &numbers)
    switch Int.random(in: 0..<6, using: &numbers) {
    case 0: bytes[index] = UInt8.random(in: 0...255, using: &numbers)
    case 1: bytes.remove(at: index)
    case 2: bytes.insert("{}[]:,-&*'\"$ \n".utf8.randomElement(using: &numbers) ?? 0, at: index)
    case 3: bytes.removeSubrange(index..<min(bytes.count, index + Int.random(in: 0..<40, using: &numbers)))
    case 4:
      let piece = bytes[index..<min(bytes.count, index + Int.random(in: 0..<40, using: &numbers))]
      bytes.insert(contentsOf: piece, at: Int.random(in: bytes.indices, using: &numbers))
    default: bytes.swapAt(index, Int.random(in: bytes.indices, using: &numbers))
    }
  }
}
