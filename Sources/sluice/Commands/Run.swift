import ArgumentParser
import Configuration
import Engine
import Kernel
import Runtime
import Telemetry

struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Runs the gateway until SIGTERM.")
  @OptionGroup var configuration: ConfigurationOption

  func run() throws {
    let loaded = LoadedConfiguration.load(configuration.file)
    Terminal.error(loaded.diagnostics.text)
    guard let snapshot = loaded.snapshot else { throw ExitCode(1) }
    SignalDescriptor.ignoreBrokenPipes()
    let loop = try Loop()
    var gateway: Gateway?
    let signals = try SignalSource([15, 2, 1], on: loop) { signal in
      switch signal {
      case 1: break
      default: gateway?.drain { loop.stop() }
      }
    }
    let log = try CallLogOptions(snapshot.settings.callLog).map { try CallLog($0) }
    let running = Gateway(snapshot, catalog: BuiltIn.catalog, loop: loop, log: log) { event in
      Terminal.error("\(event)\n")
    }
    gateway = running
    do { try running.start(admin: nil) } catch {
      Terminal.error("\(error)\n")
      throw ExitCode(2)
    }
    for listener in snapshot.settings.listeners {
      Terminal.print("listening on \(listener.address) (\(listener.name))")
    }
    loop.run()
    withExtendedLifetime(signals) {}
  }
}

extension CallLogOptions {
  init?(_ settings: CallLogSettings) {
    let destination: Destination
    switch settings.destination {
    case .off: return nil
    case .stdout: destination = .standardOutput
    case .directory(let path): destination = .directory(path)
    }
    self.init(
      destination,
      limits: SegmentLimits(
        segmentSize: settings.segmentSize, segmentAge: settings.segmentAge, retainSize: settings.retainSize,
        retainAge: settings.retainAge))
  }
}
