import Kernel
import PluginKit

/// What keys have used of an allowance in the period at hand, reservations too, and the file in which it outlasts the
/// process.
///
/// A reservation is counted like a use until it is settled. So two calls at once never both take what is left for one, and
/// a gateway that is killed has counted too much for the calls that it had, never too little.
final class SpendingLedger: Sendable {
  private struct State: ~Copyable {
    /// Seconds since 1970; amounts of another period are gone.
    var end = 0
    var amounts: [String: Int] = [:]
    var isDirty = false
    var isClosed = false
    var hasWriter = false
  }

  private let path: String?
  private let most: Int
  private let state: Monitor<State>

  private static let pause = 200_000_000
  private static let title = "sluice spending 1"
  /// All keys together for which there is no room.
  static let others = "others"

  /// - Parameters:
  ///   - path: a file, which is read; nil keeps the amounts in memory alone.
  ///   - keys: how many are counted each by itself.
  init(_ path: String?, keys: Int) throws(PluginError) {
    self.path = path
    most = keys
    var state = State()
    if let path { try Self.read(path, keys, into: &state) }
    self.state = Monitor(state)
  }

  /// Counts an amount if it fits the limit; what the key has used then, or nil if it does not.
  ///
  /// - Parameters:
  ///   - isForced: counts it in any case.
  ///   - end: of the period; when it is a later one, all amounts begin anew. Clocks that go back change nothing.
  func reserve(_ key: String, _ amount: Int, limit: Int, isForced: Bool, end: Int) -> Int? {
    state.withLock { state in
      if end > state.end {
        state.end = end
        state.amounts.removeAll(keepingCapacity: true)
      }
      let key = state.amounts[key] != nil || state.amounts.count < most ? key : Self.others
      let used = Self.sum(state.amounts[key] ?? 0, amount)
      if used > limit, !isForced { return nil }
      state.amounts[key] = used
      state.isDirty = true
      return used
    }
  }

  /// Puts the truth in the place of a reservation, unless its period is over.
  func settle(_ key: String, reserved: Int, used: Int, end: Int) {
    state.withLock { state in
      guard end == state.end else { return }
      let key = state.amounts[key] != nil ? key : Self.others
      guard let amount = state.amounts[key] else { return }
      state.amounts[key] = max(0, Self.sum(amount - min(reserved, amount), used))
      state.isDirty = true
    }
  }

  /// Notes what a shared store says that a key has used.
  func note(_ key: String, _ used: Int, end: Int) {
    state.withLock { state in
      if end > state.end {
        state.end = end
        state.amounts.removeAll(keepingCapacity: true)
      }
      if state.amounts[key] != nil || state.amounts.count < most { state.amounts[key] = used }
    }
  }

  /// What a key has used in the period that ends then.
  func used(_ key: String, end: Int) -> Int {
    state.withLock { state in state.end == end ? state.amounts[key] ?? state.amounts[Self.others] ?? 0 : 0 }
  }

  /// What keys have used in the period that ends then; nothing when another one is at hand.
  func amounts(end: Int) -> [(key: String, used: Int)] {
    state.withLock { state in state.end == end ? state.amounts.map { ($0.key, $0.value) } : [] }
  }

  private static func sum(_ a: Int, _ b: Int) -> Int {
    let (sum, overflows) = a.addingReportingOverflow(b)
    return overflows ? .max : sum
  }

  // MARK: The file

  /// Starts the thread that writes; once is enough.
  func startWriting() {
    guard path != nil else { return }
    let isFirst = state.withLock { state in
      defer { state.hasWriter = true }
      return !state.hasWriter
    }
    guard isFirst else { return }
    _ = try? Thread.start(name: "spending") { [self] in
      Thread.lowerPriority()
      while true {
        let isClosed = state.wait(timeout: Self.pause) { $0.isClosed ? true : nil } ?? false
        write()
        if isClosed { return }
      }
    }
  }

  /// Nobody counts any more: what is left is written, and the thread ends.
  func close() {
    state.withLock { $0.isClosed = true }
    state.signal()
  }

  /// Writes what has changed since the last time, beside the old file and then in its place.
  func write() {
    guard let path else { return }
    let due: (end: Int, amounts: [String: Int])? = state.withLock { state in
      guard state.isDirty else { return nil }
      state.isDirty = false
      return (state.end, state.amounts)
    }
    guard let due else { return }
    var text = "\(Self.title)\n\(due.end)\n"
    for (key, used) in due.amounts { text += "\(used) \(Self.escape(key))\n" }
    do throws(Errno) {
      let new = path + ".new"
      let file = try File(new, .replace)
      try file.writeAll(text.utf8Span.span)
      try file.sync()
      try FileSystem.rename(new, to: path)
    } catch {
      // The disk is full or gone: the next time may find it better.
      state.withLock { $0.isDirty = true }
    }
  }

  private static func read(_ path: String, _ keys: Int, into state: inout State) throws(PluginError) {
    let text: String?
    do throws(Errno) { text = try contents(of: path, atMost: keys * largestLine) } catch {
      throw PluginError("the file \(path) cannot be read: \(error)")
    }
    guard let text else { return }
    let lines = text.split(separator: "\n")
    guard lines.count >= 2, lines[0] == title, let end = Int(lines[1]) else {
      throw PluginError("the file \(path) is none of this limit: remove it, or name another")
    }
    state.end = end
    for line in lines.dropFirst(2) {
      let parts = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, let used = Int(parts[0]), used >= 0, let key = unescape(parts[1]),
        state.amounts.count <= keys, state.amounts.updateValue(used, forKey: key) == nil
      else { throw PluginError("the file \(path) is none of this limit: remove it, or name another") }
    }
  }

  private static let largestLine = 8 << 10

  /// The whole of a file; nil when there is none.
  private static func contents(of path: String, atMost limit: Int) throws(Errno) -> String? {
    let file: File
    do throws(Errno) { file = try File(path, .read) } catch {
      if error == .noEntry { return nil }
      throw error
    }
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 64 << 10)
    while bytes.count <= limit {
      var room = block.mutableSpan
      let count = try file.read(into: &room)
      if count == 0 { break }
      bytes += block[..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Bytes that would end a line or a field, as `%XX`.
  private static func escape(_ key: String) -> String {
    var out = ""
    for byte in key.utf8 {
      if byte > 0x20, byte < 0x7F, byte != UInt8(ascii: "%") {
        out.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        out += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
      }
    }
    return out
  }

  private static func unescape(_ text: Substring) -> String? {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard rest.count >= 2, let value = UInt8(String(rest.prefix(2)) ?? "", radix: 16) else { return nil }
      bytes.append(value)
      rest = rest.dropFirst(2)
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
