/// A mistake in a message, found while decoding it.
///
/// One vocabulary for both directions: towards a client the engine answers with `status`, an upstream's mistake
/// becomes a 502. Whatever the mistake, the connection's framing can no longer be trusted and it must be closed.
public enum HTTPError: UInt8, Error, Sendable, CaseIterable {
  // Start lines (RFC 9112 §3 and §4).
  /// The line is no `method SP target SP version`.
  case invalidRequestLine
  /// The method is longer than any that exists.
  case methodTooLong
  /// The target has no known form, a byte outside the grammar, or a form that the method does not allow.
  case invalidTarget
  /// The target is longer than the limit.
  case targetTooLong
  /// The version is not spelt `HTTP/` digit `.` digit.
  case invalidVersion
  /// The version is neither 1.0 nor 1.1.
  case unsupportedVersion
  /// The line is no `version SP status SP [reason]`.
  case invalidStatusLine
  /// The status lies outside 100 to 599.
  case invalidStatus
  /// The upstream switches protocols though nobody asked it to.
  case unexpectedUpgrade

  // Field lines (RFC 9112 §5).
  /// A field name holds a byte that is no `tchar`.
  case invalidFieldName
  /// A line begins with the colon.
  case emptyFieldName
  /// The field name is longer than any in use.
  case fieldNameTooLong
  /// The name reads as a known one where punctuation is folded, such as `transfer_encoding`.
  case lookAlikeFieldName
  /// White space stands before the colon.
  case spaceBeforeColon
  /// A line has no colon.
  case missingColon
  /// A value holds a control character.
  case invalidFieldValue
  /// A line begins with white space: an obsolete continuation.
  case obsoleteFold
  /// CR without LF.
  case bareCarriageReturn
  /// LF without CR.
  case bareLineFeed
  /// A byte of value zero.
  case nulByte
  /// The head is longer than the limit.
  case headTooLarge
  /// The head has more fields than the limit.
  case tooManyFields

  /// A head of HTTP/2 that HTTP/2 forbids, or that cannot be said in HTTP/1.1 (RFC 9113 §8.1.1).
  case malformedHead

  // Host (RFC 9110 §7.2, RFC 9112 §3.2).
  /// HTTP/1.1 without Host.
  case missingHost
  /// More than one Host.
  case repeatedHost
  /// Host or authority is no `name[:port]`.
  case invalidHost
  /// The target's authority is not the Host, also without the port of its scheme.
  case hostMismatch

  // Framing (RFC 9112 §6).
  /// More than one Content-Length.
  case repeatedContentLength
  /// Content-Length is no number.
  case invalidContentLength
  /// Content-Length is a number too large to count.
  case contentLengthOverflow
  /// Both Content-Length and Transfer-Encoding.
  case lengthAndTransferEncoding
  /// Transfer-Encoding is malformed, or `chunked` is not its last coding.
  case invalidTransferEncoding
  /// A transfer coding other than `chunked`.
  case unknownTransferCoding
  /// Transfer-Encoding in an HTTP/1.0 message.
  case transferEncodingInHTTP10
  /// Content where the method or status allows none.
  case contentNotAllowed
  /// Connection is malformed, too long, or nominates a field that frames or routes the message.
  case invalidConnectionOption
  /// Expect asks for something other than `100-continue`.
  case unknownExpectation

  // Bodies (RFC 9112 §7).
  /// A chunk size is not hexadecimal, is too long, or its line is malformed.
  case invalidChunkSize
  /// A chunk extension is malformed.
  case invalidChunkExtension
  /// Chunk extensions exceed the limit.
  case chunkExtensionTooLong
  /// A chunk's data is not followed by CRLF.
  case invalidChunkEnd
  /// Trailer fields exceed the limit.
  case trailersTooLarge
  /// A trailer field that frames, routes or authenticates the message.
  case forbiddenTrailer
  /// The connection ended inside the message.
  case truncatedMessage

  // Paths (RFC 3986 §6.2.2).
  /// `%` without two hexadecimal digits.
  case invalidPercentEncoding
  /// An encoded control character, NUL among them.
  case encodedControl
  /// An encoded `/` or `\` where the configuration refuses them.
  case encodedSlash
  /// An empty segment (`//`) where the configuration refuses them.
  case emptySegment
  /// A path with a backslash, a fragment, or dot segments with parameters, which servers read differently.
  case ambiguousPath

  /// The status to answer a client with.
  public var status: Int {
    switch self {
    case .contentLengthOverflow: 413
    case .targetTooLong: 414
    case .unknownExpectation: 417
    case .headTooLarge, .tooManyFields, .fieldNameTooLong, .trailersTooLarge: 431
    case .methodTooLong, .unknownTransferCoding: 501
    case .unsupportedVersion: 505
    default: 400
    }
  }

  /// A stable word for logs and metrics.
  public var reason: StaticString {
    switch self {
    case .invalidRequestLine: "invalid_request_line"
    case .methodTooLong: "method_too_long"
    case .invalidTarget: "invalid_target"
    case .targetTooLong: "target_too_long"
    case .invalidVersion: "invalid_version"
    case .unsupportedVersion: "unsupported_version"
    case .invalidStatusLine: "invalid_status_line"
    case .invalidStatus: "invalid_status"
    case .unexpectedUpgrade: "unexpected_upgrade"
    case .invalidFieldName: "invalid_field_name"
    case .emptyFieldName: "empty_field_name"
    case .fieldNameTooLong: "field_name_too_long"
    case .lookAlikeFieldName: "look_alike_field_name"
    case .spaceBeforeColon: "space_before_colon"
    case .missingColon: "missing_colon"
    case .invalidFieldValue: "invalid_field_value"
    case .obsoleteFold: "obsolete_fold"
    case .bareCarriageReturn: "bare_carriage_return"
    case .bareLineFeed: "bare_line_feed"
    case .nulByte: "nul_byte"
    case .headTooLarge: "head_too_large"
    case .tooManyFields: "too_many_fields"
    case .malformedHead: "malformed_head"
    case .missingHost: "missing_host"
    case .repeatedHost: "repeated_host"
    case .invalidHost: "invalid_host"
    case .hostMismatch: "host_mismatch"
    case .repeatedContentLength: "repeated_content_length"
    case .invalidContentLength: "invalid_content_length"
    case .contentLengthOverflow: "content_length_overflow"
    case .lengthAndTransferEncoding: "length_and_transfer_encoding"
    case .invalidTransferEncoding: "invalid_transfer_encoding"
    case .unknownTransferCoding: "unknown_transfer_coding"
    case .transferEncodingInHTTP10: "transfer_encoding_in_http_1_0"
    case .contentNotAllowed: "content_not_allowed"
    case .invalidConnectionOption: "invalid_connection_option"
    case .unknownExpectation: "unknown_expectation"
    case .invalidChunkSize: "invalid_chunk_size"
    case .invalidChunkExtension: "invalid_chunk_extension"
    case .chunkExtensionTooLong: "chunk_extension_too_long"
    case .invalidChunkEnd: "invalid_chunk_end"
    case .trailersTooLarge: "trailers_too_large"
    case .forbiddenTrailer: "forbidden_trailer"
    case .truncatedMessage: "truncated_message"
    case .invalidPercentEncoding: "invalid_percent_encoding"
    case .encodedControl: "encoded_control"
    case .encodedSlash: "encoded_slash"
    case .emptySegment: "empty_segment"
    case .ambiguousPath: "ambiguous_path"
    }
  }
}
