import CLinux
import Glibc

/// Tells the service manager how the process is, when it wants to know: `sd_notify(3)` without its library.
public struct Supervisor: Sendable {
  private let path: String?

  /// - Parameter path: where it listens, as `NOTIFY_SOCKET` says; nil when nobody wants to know.
  public init(path: String? = ProcessEnvironment.value("NOTIFY_SOCKET")) { self.path = path }

  public enum Message: Sendable {
    /// Serving; with what a human reads in `systemctl status`.
    case ready(status: String)
    case reloading
    case stopping
    /// Another process goes on in this one's stead.
    case replaced(by: CInt, status: String)
  }

  /// Sends one datagram. A manager that does not take it is not waited for.
  public func tell(_ message: Message) {
    guard let path else { return }
    let text =
      switch message {
      case .ready(let status): "READY=1\nSTATUS=\(Self.line(status))\n"
      case .reloading: "RELOADING=1\nMONOTONIC_USEC=\(Clock.monotonic / 1_000)\n"
      case .stopping: "STOPPING=1\n"
      case .replaced(let process, let status): "MAINPID=\(process)\nREADY=1\nSTATUS=\(Self.line(status))\n"
      }
    // SAFETY: the path is copied and the bytes are sent before the call returns.
    unsafe text.utf8Span.span.withUnsafeBytes { unsafe _ = cl_send_datagram(path, $0.baseAddress!, $0.count) }
  }

  /// A status is one line.
  private static func line(_ text: String) -> String {
    String(text.split(separator: "\n", omittingEmptySubsequences: true).first ?? "")
  }
}
