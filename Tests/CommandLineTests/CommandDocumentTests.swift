import ArgumentParser
import GatewayTesting
import Testing

@testable import sluice

/// The reference of the command line names what there is.
struct CommandDocumentTests {
  private static let names = Sluice.configuration.subcommands.map { $0._commandName }

  @Test func `every command has its section, and no other has one`() throws {
    let page = try TemporaryDirectory.contents(of: Command.root + "/docs/CLI.md")
    let sections = page.split(separator: "\n").filter { $0.hasPrefix("## sluice ") }.map {
      String($0.dropFirst("## sluice ".count).prefix { $0 != " " })
    }
    #expect(sections.sorted() == Self.names.sorted())
  }

  @Test func `every option of a command is in its section`() throws {
    let page = try TemporaryDirectory.contents(of: Command.root + "/docs/CLI.md")
    for command in Sluice.configuration.subcommands {
      let start = try #require(page.firstRange(of: "## sluice \(command._commandName)"), "\(command._commandName)")
      let rest = page[start.upperBound...]
      let section = rest[..<(rest.firstRange(of: "\n## ")?.lowerBound ?? rest.endIndex)]
      for word in command.helpMessage().split(whereSeparator: { " \n,[]".contains($0) })
      where word.hasPrefix("--") && word.count > 2 && word != "--version" && word != "--help" && word != "--config" {
        #expect(section.contains(word), "\(command._commandName) \(word)")
      }
    }
  }
}
