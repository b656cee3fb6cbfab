import Kernel

/// The segment that is being written: `current.ndjson`, or a name of its own while a successor has that. It holds whole lines only, whatever the disk does.
///
/// A failed write is cut back to the last whole line, at once or, when even that fails, before the next write. The
/// file is opened when a line comes and none is open, so a disk that was full, read-only or gone is used again as
/// soon as it is back.
struct SegmentFile: ~Copyable {
  /// What became of a chunk.
  struct Outcome: Equatable {
    var lines = 0
    var bytes = 0
    var failure: CallLogFailure?
  }

  let directory: String
  private var path: String
  /// Whether it has a name of its own.
  private(set) var isAside = false
  private var file: File?
  /// Bytes in the file, up to the end of the last whole line.
  private(set) var size = 0
  /// When its first line began, wall clock; meaningful while `size` is not 0.
  private(set) var startedAt = 0
  /// The file may hold more than `size` bytes.
  private var isTorn = false

  init(directory: String) {
    self.directory = directory
    path = directory + "/" + SegmentName.current
  }

  /// Makes the file ready for `append`: opened, made when it is missing, without a half line.
  ///
  /// A file that was deleted or moved away, or whose directory was, is left for a new one of the name.
  ///
  /// - Returns: bytes of a half line that opening found and cut.
  mutating func prepare(now: Int) throws(CallLogFailure) -> Int {
    if isReplaced { close() }
    if file == nil { return try open(now: now) }
    if isTorn { try cut() }
    return 0
  }

  var isOpen: Bool { file != nil }

  mutating func close() {
    file = nil
    size = 0
    isTorn = false
  }

  private mutating func open(now: Int) throws(CallLogFailure) -> Int {
    do {
      try FileSystem.makeDirectory(directory)
      let opened = isAside ? try openClaimed() : try File(path, .append)
      let length = try opened.status().size
      let reader = try File(path, .read)
      size = try SegmentFile.endOfLastLine(in: reader, length: length)
      if length > size { try opened.truncate(to: size) }
      startedAt = size > 0 ? try SegmentFile.firstMoment(in: reader) ?? now : now
      file = consume opened
      return length - size
    } catch {
      throw CallLogFailure(operation: "open \(path)", errno: error)
    }
  }

  /// Opens the file so that no other process takes it for one that was left behind.
  ///
  /// Such a process may have found it between its opening and the claim: what it then named or removed is not ours.
  private func openClaimed() throws(Errno) -> File {
    while true {
      let opened = try File(path, .append)
      if !opened.awaitClaim() { return opened }
      if try opened.isNamed(path) { return opened }
    }
  }

  private var isReplaced: Bool {
    guard file != nil else { return false }
    return (try? file!.isNamed(path)) == false
  }

  /// Appends whole lines to a file that is ready for it.
  mutating func append(_ lines: Span<UInt8>, count: Int, now: Int) -> Outcome {
    if size == 0 { startedAt = now }
    var done = 0
    do throws(Errno) {
      while done < lines.count { done += try file!.write(lines.extracting(done..<lines.count)) }
      size += done
      return Outcome(lines: count, bytes: done)
    } catch {
      let whole = LineScan.endOfLastLine(in: lines.extracting(0..<done))
      size += whole
      isTorn = done > whole
      if isTorn { try? cut() }
      return Outcome(
        lines: LineScan.count(in: lines.extracting(0..<whole)), bytes: whole,
        failure: CallLogFailure(operation: "write \(path)", errno: error))
    }
  }

  /// Gives the file its name as an older segment; the next line opens a new one.
  mutating func rotate(to name: SegmentName) throws(CallLogFailure) {
    do {
      try FileSystem.renameExclusively(path, to: directory + "/" + name.text)
    } catch {
      throw CallLogFailure(operation: "rename \(path)", errno: error)
    }
    close()
  }

  /// Goes on under a name of its own, and leaves `current.ndjson` to another process.
  ///
  /// What cannot be taken along is left there: the other process cuts a half line when it opens the file.
  mutating func setAside(as name: String) {
    if isReplaced { close() }
    let own = directory + "/" + name
    if isTorn { try? cut() }
    if file != nil {
      _ = file!.claim()
      do { try FileSystem.rename(path, to: own) } catch { close() }
    }
    path = own
    isAside = true
  }

  /// Takes the usual name again.
  ///
  /// - Returns: false when somebody made a file of that name; then the lines stay in this one, to be rotated.
  mutating func resume() -> Bool {
    guard isAside else { return true }
    let usual = directory + "/" + SegmentName.current
    if file != nil {
      do { try FileSystem.renameExclusively(path, to: usual) } catch {
        if size > 0 { return false }
        removeEmpty()
      }
    }
    useCurrent()
    return true
  }

  /// Opens the usual name from now on.
  mutating func useCurrent() {
    path = directory + "/" + SegmentName.current
    isAside = false
  }

  /// Takes away a file of its own that has no line.
  mutating func removeEmpty() {
    guard file != nil, isAside, size == 0 else { return }
    try? FileSystem.remove(path)
    close()
  }

  private mutating func cut() throws(CallLogFailure) {
    do {
      try file?.truncate(to: size)
      isTorn = false
    } catch {
      throw CallLogFailure(operation: "truncate \(path)", errno: error)
    }
  }

  /// Where the last whole line ends, searching backwards.
  static func endOfLastLine(in file: borrowing File, length: Int) throws(Errno) -> Int {
    var block = [UInt8](repeating: 0, count: 64 << 10)
    var end = length
    while end > 0 {
      let start = max(0, end - block.count)
      var bytes = block.mutableSpan
      let count = try file.read(into: &bytes, at: start)
      let found = LineScan.endOfLastLine(in: block.span.extracting(0..<min(count, end - start)))
      if found > 0 { return start + found }
      end = start
    }
    return 0
  }

  /// The moment that the file's first line begins with.
  private static func firstMoment(in file: borrowing File) throws(Errno) -> Int? {
    var head = [UInt8](repeating: 0, count: 32)
    var bytes = head.mutableSpan
    _ = try file.read(into: &bytes, at: 0)
    return Timestamp.parse(head.span, from: 9)
  }
}

/// Lines within bytes.
enum LineScan {
  /// The index behind the last line feed; 0 when there is none.
  static func endOfLastLine(in bytes: Span<UInt8>) -> Int {
    var end = bytes.count
    while end > 0, bytes[end - 1] != UInt8(ascii: "\n") { end -= 1 }
    return end
  }

  static func count(in bytes: Span<UInt8>) -> Int {
    var lines = 0
    var index = ByteScan.index(of: UInt8(ascii: "\n"), in: bytes)
    while index < bytes.count {
      lines += 1
      index = ByteScan.index(of: UInt8(ascii: "\n"), in: bytes, from: index + 1)
    }
    return lines
  }
}
