public import Kernel

extension JSONDocument {
  /// Appends the JSON Pointer (RFC 6901) of a value, or of the member that has this name, as a JSON string.
  public func append(pointerTo target: Int, in bytes: Span<UInt8>, to out: inout ByteBuffer) {
    var pointer = ByteBuffer(capacity: 64)
    var node = 0
    while node < target, node + 1 < nodes.count {
      guard
        let child = kind(node) == .object
          ? append(memberWith: target, of: node, bytes, to: &pointer)
          : append(elementWith: target, of: node, to: &pointer)
      else { break }
      node = child
    }
    out.append(json: pointer.span)
  }

  private func append(
    memberWith target: Int, of object: Int, _ bytes: Span<UInt8>, to out: inout ByteBuffer
  ) -> Int? {
    var name = object + 1
    while name < next(object) {
      if target < next(name + 1) {
        out.append("/")
        var decoded = ByteBuffer(capacity: 32)
        JSONString.append(decoding: content(name, in: bytes), to: &decoded)
        for index in decoded.span.indices {
          switch decoded.span[index] {
          case UInt8(ascii: "~"): out.append("~0")
          case UInt8(ascii: "/"): out.append("~1")
          case let byte: out.append(byte)
          }
        }
        return name + 1
      }
      name = next(name + 1)
    }
    return nil
  }

  private func append(elementWith target: Int, of array: Int, to out: inout ByteBuffer) -> Int? {
    guard kind(array) == .array else { return nil }
    var child = array + 1
    var index = 0
    while child < next(array) {
      if target < next(child) {
        out.append("/")
        out.append(decimal: index)
        return child
      }
      index += 1
      child = next(child)
    }
    return nil
  }
}
