import Engine
import Testing

/// Addresses as a command line gives them.
struct ListenAddressTests {
  @Test(arguments: [
    ("127.0.0.1:80", "127.0.0.1:80"), ("localhost:80", "127.0.0.1:80"), ("[::1]:80", "[::1]:80"),
    ("unix:/a/b", "unix:/a/b"),
  ])
  func `an address is read and written`(_ text: String, _ written: String) {
    #expect(ListenAddress(text: text)?.text == written)
  }

  @Test(arguments: ["", "80", "127.0.0.1", "::1:80", "example.com:80", "unix:", "127.0.0.1:99999", "127.0.0.1:x"])
  func `what is no address is none`(_ text: String) { #expect(ListenAddress(text: text) == nil) }
}
