import ArgumentParser
import Engine
import JSON
import Kernel
import Runtime

struct Explain: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Says what a configuration does with a request, and why.",
    discussion: """
      Which route takes it, what each plugin decides, where it goes and what is sent there, and why no other route \
      takes it. It reads the file and needs no running gateway; plugins start afresh, and nothing is asked over the \
      network. Exits with 0 whether the request is taken or refused.

        sluice explain GET /v1/feedback/7
        sluice explain POST https://api.example.com/v1/feedback -H 'X-Tenant: a' -d '{"text":"thanks"}'
      """)
  @Argument(help: "The method, such as GET.") var method: String
  @Argument(help: "The URL, or its path alone.") var url: String
  @Option(
    name: [.customShort("H"), .customLong("header")], help: "A field of the request, 'Name: value'; may be repeated.")
  var headers: [String] = []
  @Option(name: [.customShort("d"), .customLong("data")], help: "The body.") var body: String?
  @Option(help: "The listener that takes it; by default the one with the URL's port, or the first.")
  var listener: String?
  @Option(help: "The address that it comes from.") var from = "127.0.0.1"
  @OptionGroup var configuration: ConfigurationOption
  @OptionGroup var json: JSONOption

  func validate() throws {
    if let bad = headers.first(where: { SampleRequest.field($0) == nil }) {
      throw ValidationError("'\(bad)' is no header: write -H 'Name: value'.")
    }
    if IPAddress(from) == nil { throw ValidationError("'\(from)' is no address: write --from 192.0.2.1.") }
    if method.contains("/") { throw ValidationError("The method comes first: sluice explain GET \(method)") }
  }

  func run() throws {
    let snapshot = try configuration.load()
    let request = SampleRequest(
      method, url, headers: headers.compactMap { SampleRequest.field($0) }, body: Array((body ?? "").utf8),
      listener: listener, client: IPAddress(from) ?? IPAddress(v4: 0))
    let explanation = try explain(request, snapshot)
    guard json.isWanted else { return Terminal.print(explanation.text) }
    var json = JSONWriter()
    explanation.write(to: &json)
    Terminal.print(json)
  }

  /// Plugins live on a loop, and some may wait.
  private func explain(_ request: SampleRequest, _ snapshot: Snapshot) throws -> Explanation {
    final class Outcome { var explanation: Result<Explanation, ExplanationError>? }
    let outcome = Outcome()
    let loop = try Loop()
    loop.start(outcome) { outcome in
      do throws(ExplanationError) { outcome.explanation = .success(try await snapshot.explain(request)) } catch {
        outcome.explanation = .failure(error)
      }
      loop.stop()
    }
    loop.run()
    switch outcome.explanation {
    case .success(let explanation): return explanation
    case .failure(let error):
      // Not a `ValidationError`: thrown from here it would show how `sluice` is used, and not `explain`.
      Terminal.error("Error: \(error)\n")
      throw ExitCode.validationFailure
    case nil: preconditionFailure("the loop ends with an answer")
    }
  }
}
