import CPCRE2

/// A regular expression over UTF-8, as ECMAScript writes it where PCRE2 understands the same, with bounded effort.
///
/// SAFETY: code and context are made in `init`, never changed, and freed in `deinit`; PCRE2 allows many threads to match
/// with them at once, each with match data of its own.
@safe
public final class RegularExpression: @unchecked Sendable {
  public struct Mistake: Error {
    /// In the library's words.
    public let message: String
    /// In bytes of the pattern.
    public let offset: Int
  }

  public enum Outcome: Sendable, Equatable {
    /// The bytes that match first.
    case found(Range<Int>)
    case absent
    /// The effort that one match may take was not enough.
    case exhausted
  }

  /// The same for a text of which more is to come.
  public enum PartialOutcome: Sendable, Equatable {
    /// The bytes that match first, whatever follows.
    case found(Range<Int>)
    /// What begins there could still match.
    case pending(Int)
    case absent
    case exhausted
  }

  public let pattern: String
  /// How many characters before a place a match that begins there may depend on.
  public let lookbehind: Int
  private let code: OpaquePointer
  private let context: OpaquePointer

  /// - Parameter effort: steps of backtracking that one match may take.
  public init(_ pattern: String, effort: UInt32 = 100_000) throws(Mistake) {
    self.pattern = pattern
    var number: Int32 = 0
    var offset = 0
    let options =
      PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_ALT_BSUX | PCRE2_MATCH_UNSET_BACKREF | PCRE2_NEVER_BACKSLASH_C
    let bytes = Array(pattern.utf8)
    // SAFETY: reads the live array, and writes the two locals.
    let made = unsafe bytes.withUnsafeBufferPointer {
      unsafe pcre2_compile_8($0.baseAddress ?? Self.nothing.utf8Start, $0.count, options, &number, &offset, nil)
    }
    guard let made = unsafe made else { throw Mistake(message: Self.message(number), offset: offset) }
    guard let limits = unsafe pcre2_match_context_create_8(nil) else {
      unsafe pcre2_code_free_8(made)
      throw Mistake(message: "out of memory", offset: 0)
    }
    unsafe _ = pcre2_set_match_limit_8(limits, effort)
    unsafe _ = pcre2_set_depth_limit_8(limits, 1_000)
    unsafe _ = pcre2_set_heap_limit_8(limits, 1_024)
    var behind: UInt32 = 0
    // SAFETY: writes the local, which has the type that this question is answered with.
    unsafe _ = pcre2_pattern_info_8(made, UInt32(PCRE2_INFO_MAXLOOKBEHIND), &behind)
    lookbehind = Int(behind)
    unsafe code = made
    unsafe context = limits
  }

  deinit {
    // SAFETY: as the type says.
    unsafe pcre2_match_context_free_8(context)
    unsafe pcre2_code_free_8(code)
  }

  /// What one search after another works in, so that they need not allocate.
  ///
  /// SAFETY: the data is this value's alone, and freed with it.
  @safe
  public struct Workspace: ~Copyable, @unchecked Sendable {
    fileprivate let data: OpaquePointer?

    // One pair: nobody asks for groups.
    public init() { unsafe data = pcre2_match_data_create_8(1, nil) }

    deinit { unsafe pcre2_match_data_free_8(data) }
  }

  /// Searches text from `start` on.
  public func search(_ text: Span<UInt8>, from start: Int = 0) -> Outcome {
    var workspace = Workspace()
    return search(text, from: start, in: &workspace)
  }

  /// The same, for those who search often.
  public func search(_ text: Span<UInt8>, from start: Int = 0, in workspace: inout Workspace) -> Outcome {
    switch match(text, from: start, options: 0, in: &workspace) {
    case .found(let range): .found(range)
    case .absent: .absent
    case .pending, .exhausted: .exhausted
    }
  }

  /// Searches the beginning of a text, from `start` on: what follows could make a match longer, or make one.
  public func search(beginning text: Span<UInt8>, from start: Int = 0) -> PartialOutcome {
    var workspace = Workspace()
    return match(text, from: start, options: PCRE2_PARTIAL_HARD, in: &workspace)
  }

  private func match(
    _ text: Span<UInt8>, from start: Int, options: UInt32, in workspace: inout Workspace
  ) -> PartialOutcome {
    // SAFETY: nobody else uses the workspace during the call, in which the text is live; no empty text is passed as nil.
    guard let data = unsafe workspace.data else { return .exhausted }
    let result = unsafe text.withUnsafeBufferPointer {
      unsafe pcre2_match_8(code, $0.baseAddress ?? Self.nothing.utf8Start, $0.count, start, options, data, context)
    }
    if result == PCRE2_ERROR_NOMATCH { return .absent }
    guard result >= 0 || result == PCRE2_ERROR_PARTIAL, let pair = unsafe pcre2_get_ovector_pointer_8(data) else {
      return .exhausted
    }
    if result == PCRE2_ERROR_PARTIAL { return unsafe .pending(pair[0]) }
    return unsafe .found(pair[0]..<max(pair[0], pair[1]))
  }

  /// Stands for texts of length zero, which have no address.
  private static let nothing: StaticString = ""

  private static func message(_ number: Int32) -> String {
    var text = [UInt8](repeating: 0, count: 160)
    // SAFETY: writes at most the array.
    let count = unsafe text.withUnsafeMutableBufferPointer {
      unsafe pcre2_get_error_message_8(number, $0.baseAddress, $0.count)
    }
    return String(decoding: text.prefix(max(0, Int(count))), as: UTF8.self)
  }
}
