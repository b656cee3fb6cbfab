import Foreign
import HTTP
import Kernel
import PluginKit

/// The digests of a body in `Content-Digest` (RFC 9530 §2).
struct ContentDigest {
  private var digests: [(kind: MessageDigest, bytes: [UInt8])] = []

  /// Those that are not known are passed over; at least one must be.
  init(of exchange: borrowing Exchange) throws(SignatureMistake) {
    var text = ByteBuffer(capacity: 256)
    guard
      SignatureBase.append(field: "content-digest", of: exchange, to: &text, limit: SignatureBase.longestField)
    else { throw .noDigest }
    let members: [StructuredMember]
    do throws(StructuredFieldError) { members = try StructuredDictionary.parse(text.span) } catch { throw .malformed }
    for member in members {
      guard let kind = MessageDigest(rawValue: member.name) else { continue }
      guard case .item(.bytes(let bytes)) = member.value, bytes.count == kind.size else { throw .malformed }
      digests.append((kind, bytes))
    }
    if digests.isEmpty { throw .noDigest }
  }

  /// All of them must be the body's.
  func check(_ body: Span<UInt8>) throws(SignatureMistake) {
    for (kind, bytes) in digests where !kind.matches(bytes, of: body) { throw .digest }
  }
}
