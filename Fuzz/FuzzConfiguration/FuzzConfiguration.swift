import Configuration
import Driver
import Engine
import Kernel

// An input is a configuration file, behind a byte that says how much of it a second, included file holds.
// Nothing may trap, and a file is either refused with a mistake that can be printed, or gives settings.

@c(FuzzConfiguration_main)
public func main(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> CInt {
  unsafe fuzz(count, arguments) { start, count in
    // SAFETY: libFuzzer lends `count` bytes for the time of this call.
    let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    if let share = input.first { check(Array(input[1...]), included: Int(share)) }
    return 0
  }
}

private func check(_ bytes: [UInt8], included: Int) {
  let cut = bytes.count - min(bytes.count, included)
  let contents = ["/etc/gateway.conf": Array(bytes[..<cut]), "/etc/routes.conf": Array(bytes[cut...])]
  let files = ConfigurationFiles(
    read: { path, limit in
      guard let content = contents[path] else { return .failure(.init(reason: "no such file")) }
      return content.count > limit ? .failure(.init(reason: "too large")) : .success(content)
    },
    matching: { pattern in pattern.contains("*") ? ["/etc/routes.conf"] : [pattern] })
  let loaded = GatewaySettings.load(
    file: "/etc/gateway.conf", environment: Environment(["PORT": "8080", "EMPTY": ""]), files: files,
    openFiles: 20_000)
  precondition(
    (loaded.settings == nil) == loaded.diagnostics.hasErrors, "refused without a mistake, or accepted with one")
}
