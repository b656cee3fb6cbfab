import Admin
import Configuration
import Engine
import Kernel
import Logging
import Runtime
import Telemetry

/// The gateway as a process: what is started in which order, what signals do, and how it ends.
final class GatewayProcess {
  private let source: ConfigurationSource
  private let log: ProcessLog
  private let loop: Loop
  private let gateway: Gateway
  private let reloader: Reloader
  private let upgrader: Upgrader
  private let inheritance: Inheritance?
  private let supervisor: Supervisor
  private let logger: Logger

  /// The exit status of an address that cannot be had.
  private static let addressTaken: Int32 = 2

  /// Runs until a signal ends it; returns the exit status.
  ///
  /// - Parameters:
  ///   - loaded: a configuration without mistakes.
  ///   - inheritance: what a process has that an upgrade started.
  static func run(
    _ source: ConfigurationSource, _ loaded: LoadedConfiguration, _ inheritance: Inheritance?
  ) throws -> Int32 {
    guard let snapshot = loaded.snapshot else { return 1 }
    SignalDescriptor.ignoreBrokenPipes()
    let loop = try Loop()
    var process: GatewayProcess?
    // Before the first thread: a signal goes to any that does not block it, and would end the process.
    let signals = try SignalSource(
      [
        ProcessSignal.terminate, ProcessSignal.interrupt, ProcessSignal.hangup, ProcessSignal.firstUser,
        ProcessSignal.secondUser,
      ], on: loop
    ) { signal in process?.act(on: signal) }
    let log = ProcessLog(
      level: Logger.Level(snapshot.settings.log.level), format: ProcessLog.Format(snapshot.settings.log.format))
    log.start()
    defer { log.stop() }
    let logger = log.logger("sluice")
    if log.format == .text { Terminal.error(loaded.diagnostics.text) } else { logger.tell(loaded.diagnostics) }
    do {
      let started = try GatewayProcess(source, loaded, snapshot, inheritance, loop: loop, log: log, logger)
      process = started
      try started.serve()
      withExtendedLifetime(signals) {}
      return 0
    } catch {
      let (why, status) = Self.reason(of: error)
      logger.critical("\(why)")
      inheritance?.fail(why)
      return status
    }
  }

  /// Why it cannot start, and the exit status for that.
  private static func reason(of error: any Error) -> (text: String, status: Int32) {
    switch error {
    case let error as StartError: ("\(error)", addressTaken)
    case let error as CallLogFailure:
      ("the call log cannot \(error.operation): \(error.errno.message); mend that, or change `call_log`", 1)
    default: ("cannot start: \(error)", 1)
    }
  }

  private init(
    _ source: ConfigurationSource, _ loaded: LoadedConfiguration, _ snapshot: Snapshot, _ inheritance: Inheritance?,
    loop: Loop, log: ProcessLog, _ logger: Logger
  ) throws {
    self.inheritance = inheritance
    self.source = source
    self.log = log
    self.logger = logger
    self.loop = loop
    // Before the call log, which another process that has these addresses may be writing.
    try Gateway.checkAddresses(of: snapshot.settings, inheritance)
    let events = EventLog(logger)
    let callLog = try CallLogOptions(snapshot.settings.callLog).map { options in
      try CallLog(options, events: { events.report($0) })
    }
    gateway = Gateway(snapshot, catalog: source.catalog, loop: loop, log: callLog) { events.report($0) }
    let supervisor = Supervisor()
    self.supervisor = supervisor
    reloader = Reloader(gateway, source: source, loaded: loaded, begins: { supervisor.tell(.reloading) }) { outcome in
      log.level = Logger.Level(outcome.logLevel)
      logger.tell(outcome)
      supervisor.tell(.ready(status: outcome.text))
    }
    upgrader = Upgrader(
      gateway, command: [OwnProgram.path] + CommandLine.arguments.dropFirst(), isUpgraded: inheritance != nil
    ) { outcome in
      logger.tell(outcome)
      if let process = outcome.process { supervisor.tell(.replaced(by: process, status: outcome.text)) }
    } ended: {
      loop.stop()
    }
  }

  /// Starts everything and returns once it has stopped.
  private func serve() throws {
    try gateway.start(
      admin: AdminHandler(gateway, reloader, upgrader, version: Version.text), inheritance: inheritance)
    announce()
    // Of a successor the process before tells, to which the supervisor still listens.
    if let inheritance { inheritance.ready() } else { supervisor.tell(.ready(status: "serving")) }
    loop.run()
    logger.info("stopped")
  }

  private func act(on signal: CInt) {
    switch signal {
    case ProcessSignal.hangup: _ = reloader.reload()
    case ProcessSignal.firstUser: _ = reloader.rollback()
    case ProcessSignal.secondUser: loop.start(upgrader) { _ = await $0.upgrade() }
    default: stop()
    }
  }

  /// The first time waits for what is in flight, the second time does not.
  private func stop() {
    if gateway.state == .draining {
      logger.warning("cutting what is still open")
      return gateway.cut()
    }
    supervisor.tell(.stopping)
    upgrader.abandon()
    logger.info("draining", metadata: ["connections": .stringConvertible(gateway.shared.openConnections)])
    let loop = loop
    gateway.drain { loop.stop() }
  }

  /// Says where it listens: a line each for scripts that wait for it, apart from a call log on standard output.
  private func announce() {
    let settings = gateway.snapshot.settings
    let listeners = settings.listeners.map {
      (name: $0.name, address: (gateway.addresses[$0.name] ?? $0.address).text)
    }
    StartBanner(
      version: Version.text, configuration: source.file, workers: gateway.workerCount,
      listeners: log.format == .json ? listeners : [], admin: log.format == .json ? gateway.admin?.text : nil
    ).write(to: log)
    var lines = listeners.map { "listening on \($0.address) (\($0.name))" }
    if let admin = gateway.admin { lines.append("admin on \(admin.text)") }
    for line in lines {
      if settings.callLog.destination == .stdout { Terminal.error(line + "\n") } else { Terminal.print(line) }
    }
  }
}
