import Kernel
import PluginKit

/// The counts of one quota in this gateway, and the file in which they outlast it.
///
/// Workers count under a lock that is held for a few instructions. A thread of its own writes the file: whole, beside
/// the old one, and then in its place, so that it is never half there. What was counted since the last time is lost when
/// the process is killed, which is a fifth of a second, and longer only for very many keys.
final class QuotaLedger: Sendable {
  private struct State: ~Copyable {
    /// Seconds since 1970; counts of another period are gone.
    var end = 0
    var places: [UInt64: Int] = [:]
    var keys: [UInt64] = []
    var counts: [UInt32] = []
    var random = SplitMix(seed: KernelRandom.next())
    var isDirty = false
    var isClosed = false
    var hasWriter = false
  }

  enum Charge: Equatable {
    /// How many the key has used, this one too, and how many other keys were given up for it.
    case admitted(Int, evicted: Int)
    case refused
  }

  /// Of the keys' hashes: random, so that nobody outside can choose keys that meet, and the same as long as the file is.
  let seed: UInt64
  private let path: String
  private let most: Int
  private let state: Monitor<State>

  private static let pause = 200_000_000
  private static let title = "sluice quota 1"
  /// Of so many keys the one that has used least is given up.
  private static let sample = 8

  /// Reads the file; none is an empty one.
  init(_ path: String, keys: Int) throws(PluginError) {
    self.path = path
    most = keys
    var state = State()
    let text: String?
    do throws(Errno) { text = try Self.read(path, atMost: keys * 32 + 128) } catch {
      throw PluginError("the quota's file \(path) cannot be read: \(error)")
    }
    guard let text else {
      seed = KernelRandom.next()
      self.state = Monitor(state)
      return
    }
    let lines = text.split(separator: "\n").map { $0.split(separator: " ") }
    guard lines.count >= 2, lines[0].joined(separator: " ") == Self.title, lines[1].count == 2,
      let seed = UInt64(lines[1][0], radix: 16), let end = Int(lines[1][1])
    else { throw PluginError("the file \(path) is no quota's: remove it, or name another") }
    state.end = end
    for line in lines.dropFirst(2) {
      guard line.count == 2, let key = UInt64(line[0], radix: 16), let count = UInt32(line[1]),
        state.keys.count < keys, state.places.updateValue(state.keys.count, forKey: key) == nil
      else { throw PluginError("the file \(path) is no quota's: remove it, or name another") }
      state.keys.append(key)
      state.counts.append(count)
    }
    self.seed = seed
    self.state = Monitor(state)
  }

  /// Counts one request.
  ///
  /// - Parameters:
  ///   - end: of the period; when it is a later one, all counts begin anew. A clock that goes back changes nothing,
  ///     unless the period counted in is not even the next one: then the clock was wrong before, and what was counted
  ///     would stand until that far day.
  ///   - period: how long one is, in seconds.
  func charge(_ key: UInt64, limit: Int, end: Int, period: Int = 31 * 86_400) -> Charge {
    state.withLock { state in
      if end > state.end || end < state.end - period {
        state.end = end
        state.places.removeAll(keepingCapacity: true)
        state.keys.removeAll(keepingCapacity: true)
        state.counts.removeAll(keepingCapacity: true)
      }
      if let place = state.places[key] {
        guard Int(state.counts[place]) < limit else { return .refused }
        state.counts[place] += 1
        state.isDirty = true
        return .admitted(Int(state.counts[place]), evicted: 0)
      }
      state.isDirty = true
      guard state.keys.count >= most else {
        state.places[key] = state.keys.count
        state.keys.append(key)
        state.counts.append(1)
        return .admitted(1, evicted: 0)
      }
      var least = Int.random(in: 0..<most, using: &state.random)
      for _ in 1..<Self.sample {
        let other = Int.random(in: 0..<most, using: &state.random)
        if state.counts[other] < state.counts[least] { least = other }
      }
      state.places[state.keys[least]] = nil
      state.places[key] = least
      state.keys[least] = key
      state.counts[least] = 1
      return .admitted(1, evicted: 1)
    }
  }

  // MARK: The file

  /// Starts the thread that writes; once is enough.
  func startWriting() {
    let isFirst = state.withLock { state in
      defer { state.hasWriter = true }
      return !state.hasWriter
    }
    guard isFirst else { return }
    _ = try? Thread.start(name: "quota") { [self] in
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

  /// Writes what has changed since the last time.
  func write() {
    let due: (end: Int, keys: [UInt64], counts: [UInt32])? = state.withLock { state in
      guard state.isDirty else { return nil }
      state.isDirty = false
      return (state.end, state.keys, state.counts)
    }
    guard let due else { return }
    var text = "\(Self.title)\n\(String(seed, radix: 16)) \(due.end)\n"
    for (key, count) in zip(due.keys, due.counts) { text += "\(String(key, radix: 16)) \(count)\n" }
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

  /// The whole of a file; nil when there is none.
  private static func read(_ path: String, atMost limit: Int) throws(Errno) -> String? {
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
}
