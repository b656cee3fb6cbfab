import Detection
import Kernel

/// The screen that the texts of an answer go through before the client gets them.
extension ProviderAnswer {
  /// Lets what was written for the client through the screen; a broken rule ends the stream with an error event.
  mutating func sift(_ written: borrowing ByteBuffer, into out: inout ByteBuffer) {
    screen?.take(written.span, into: &out)
    if isOver { screen?.end(into: &out) }
    guard let rule = screen?.broken else { return }
    broken = rule
    isOver = true
    var failure = Failure(.permission, rule.note.isEmpty ? Self.denial : "\(Self.denial) \(rule.note)", status: 403)
    failure.isFiltered = true
    self.failure = failure
    var said = ByteBuffer(capacity: 256)
    writer.write(.failure(failure), into: &said)
    screen?.pass(said.span, into: &out)
  }

  private static let denial = "The model's answer breaks a rule of the gateway's."
}
