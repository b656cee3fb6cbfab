import ArgumentParser
import Engine

struct Schema: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Prints the JSON Schema of the configuration, for editors.",
    discussion: """
      sluice schema > gateway.schema.json, and as first line of the configuration:
      # yaml-language-server: $schema=gateway.schema.json
      """)

  func run() throws { Terminal.print(GatewaySettings.schema(plugins: BuiltIn.declarations)) }
}
