import ArgumentParser
import Foreign
import HTTP
import JSON

/// Keys for consumers.
struct Key: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Makes API keys.", subcommands: [New.self])

  struct New: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Prints a new API key, for the consumer, and its digest, for the configuration.")
    @OptionGroup var json: JSONOption

    func run() throws {
      guard let random = SecretRandom.bytes(32) else {
        Terminal.error("sluice: the kernel has no random bytes\n")
        throw ExitCode(1)
      }
      let key = "sk_" + Base64URL.text(random)
      let digest = "sha256:" + SHA256.digest(of: key.utf8Span.span).hexadecimal
      guard json.isWanted else { return Terminal.print("key:    \(key)\ndigest: \(digest)") }
      var json = JSONWriter()
      json.object {
        $0.member("key", key)
        $0.member("digest", digest)
      }
      Terminal.print(json)
    }
  }
}
