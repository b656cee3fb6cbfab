import ArgumentParser
import Kernel
import Runtime

struct Demo: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs small backends to try the gateway with.",
    discussion: """
      Two targets of a feedback service, one of reports and a stand-in for a model, on 127.0.0.1: the ports of \
      gateway.conf.example, which BACKEND_A, BACKEND_B, BACKEND_C and MODEL_STAND_IN may change. The stand-in is no \
      model: it says again what it was told, in OpenAI's Chat Completions. Paths of the others: /v1/feedback, /v1/feedback/ID, /healthz, /echo, \
      /slow?ms=500, /fail, /flaky (the first target fails), /stream.
      """)

  func run() throws {
    SignalDescriptor.ignoreBrokenPipes()
    let loop = try Loop()
    let signals = try SignalSource([ProcessSignal.terminate, ProcessSignal.interrupt], on: loop) { _ in loop.stop() }
    let store = DemoStore()
    let backends: [(any DemoService, Int)] = [
      (DemoBackend("feedback-1", store, isFlaky: true), try port("BACKEND_A", 9101)),
      (DemoBackend("feedback-2", store), try port("BACKEND_B", 9102)),
      (DemoBackend("reports", store), try port("BACKEND_C", 9103)),
      (ModelStandIn(), try port("MODEL_STAND_IN", 9104)),
    ]
    var servers: [DemoServer] = []
    for (backend, port) in backends {
      do throws(SocketError) { servers.append(try DemoServer(backend, port: port, on: loop)) } catch {
        Terminal.error("demo backend \(backend.name) cannot listen on 127.0.0.1:\(port): \(error)\n")
        throw ExitCode(2)
      }
      Terminal.print("demo backend \(backend.name) on 127.0.0.1:\(port)")
    }
    loop.run()
    withExtendedLifetime((servers, signals)) {}
  }

  private func port(_ variable: String, _ otherwise: Int) throws -> Int {
    guard let text = ProcessEnvironment.value(variable), !text.isEmpty else { return otherwise }
    guard let port = Int(text), 1...65535 ~= port else {
      Terminal.error("\(variable) is '\(text)', which is no port: set a number from 1 to 65535, or unset it\n")
      throw ExitCode(1)
    }
    return port
  }
}
