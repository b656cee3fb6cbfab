import Kernel

/// Reads the events of what is passed as a stream: transcripts, speech, and images on their way.
///
/// They pass as they are. What is read of them is what was used, how much was said, and errors; where the answer ends only
/// the connection says, as not all of them have a last event.
struct PassedStream: StreamReader {
  private(set) var isComplete = false

  mutating func read(_ name: String, _ data: [UInt8], into events: inout [Event]) throws(Failure) {
    if ByteScan.equal(data.span, ByteScan.bytes(of: "[DONE]")) {
      isComplete = true
      return
    }
    let event = try parse(data)
    if let failure = Chat.readFailure(event, status: 0) { throw failure }
    // Some servers send what they hear as pieces of a conversation.
    let piece = event["choices"]?.elements.first?["delta"]?["content"] ?? event["delta"]
    events.append(.text(piece?.string ?? ""))
    let usage = PassedOperation.readCounts(event)
    if !usage.isEmpty { events.append(.usage(usage)) }
  }
}
