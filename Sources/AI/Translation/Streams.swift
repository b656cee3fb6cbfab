import Kernel

/// Reads a provider's stream: the data of its events one after the other.
///
/// What is not as the dialect promises is an error; the stream is over then.
protocol StreamReader {
  /// - Parameter name: the event's, where only the framing says it.
  mutating func read(_ name: String, _ data: [UInt8], into events: inout [Event]) throws(Failure)
  /// Whether the provider has said that it said all.
  var isComplete: Bool { get }
}

/// Writes a stream as the client's dialect has it.
protocol StreamWriter {
  mutating func write(_ event: Event, into out: inout ByteBuffer)
}

extension StreamReader {
  /// The data as JSON.
  func parse(_ data: [UInt8]) throws(Failure) -> JSONElement {
    do { return try JSONElement(parsing: data) } catch { throw .malformedAnswer }
  }
}

/// Runs what reads an answer, where any mistake is the provider's.
func readAnswer<T>(_ body: () throws(Refusal) -> T) throws(Failure) -> T {
  do { return try body() } catch { throw .malformedAnswer }
}
