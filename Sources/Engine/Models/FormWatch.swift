import AI
import Kernel
import PluginKit

/// Reads a form while it passes: what is said of the model behind the file must not differ from what was said before it.
final class FormWatch: BodyRecorder {
  private(set) var reader: FormReader
  /// Why the form is refused.
  private(set) var mistake: Refusal?

  init(_ reader: FormReader) {
    self.reader = reader
    super.init()
  }

  override func append(_ bytes: Span<UInt8>) {
    if mistake != nil { return }
    do throws(Refusal) { try reader.take(bytes) } catch { mistake = error }
  }

  override func finish() {
    if !reader.isComplete, mistake == nil { mistake = Refusal(nil, "The form breaks off before its last boundary.") }
  }

  override var refuses: Bool { mistake != nil }
}
