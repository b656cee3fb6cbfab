import Kernel

/// The text of an address, kept until another one is asked for.
struct AddressText: ~Copyable {
  private(set) var bytes = ByteBuffer(capacity: 48)
  private var address: IPAddress?

  mutating func render(_ address: IPAddress) {
    if self.address == address { return }
    self.address = address
    bytes.removeAll()
    address.append(to: &bytes)
  }
}
