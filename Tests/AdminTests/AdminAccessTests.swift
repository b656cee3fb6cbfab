import Configuration
import Engine
import Testing

@testable import Admin

/// Who may read and change what.
struct AdminAccessTests {
  typealias Claim = AdminAccess.Claim

  private func access(_ address: String, token: String? = nil) throws -> AdminAccess {
    AdminAccess(address: try #require(ListenAddress(text: address)), token: token.map { Secret($0) })
  }

  private func claim(
    _ host: String, loopback: Bool = true, origin: String? = nil, site: String? = nil, token: String? = nil
  ) -> Claim {
    Claim(
      peerIsLoopback: loopback, host: host, origin: origin, fetchSite: site, authorization: token.map { "Bearer \($0)" }
    )
  }

  @Test(arguments: ["localhost:9900", "127.0.0.1:9900", "127.0.0.1", "[::1]:9900", "LOCALHOST", "127.0.0.1:19900"])
  func `reading is open under a local name`(_ host: String) throws {
    #expect(try access("127.0.0.1:9900").refusal(of: .read, claim(host)) == nil)
  }

  @Test(arguments: ["evil.example", "localhost.evil.example:9900", "127.0.0.1.evil.example", "", "10.0.0.1", "[::1"])
  func `a foreign name on loopback is refused even with the token`(_ host: String) throws {
    let access = try access("127.0.0.1:9900", token: "t")
    let expected: AdminProblem? = host == "[::1" ? nil : .foreignHost
    #expect(access.refusal(of: .read, claim(host, token: "t")) == expected)
    #expect(access.refusal(of: .write, claim(host, token: "t")) == expected)
  }

  @Test(arguments: ["http://evil.example", "http://localhost:3000", "https://localhost:9900", "null"])
  func `a page of another origin is refused`(_ origin: String) throws {
    let access = try access("127.0.0.1:9900", token: "t")
    #expect(access.refusal(of: .read, claim("localhost:9900", origin: origin)) == .foreignOrigin)
    #expect(access.refusal(of: .write, claim("localhost:9900", origin: origin, token: "t")) == .foreignOrigin)
  }

  @Test(arguments: ["cross-site", "same-site"])
  func `what a browser calls another site is refused`(_ site: String) throws {
    let access = try access("127.0.0.1:9900")
    #expect(access.refusal(of: .read, claim("localhost:9900", site: site)) == .foreignOrigin)
    #expect(access.refusal(of: .read, claim("localhost:9900", site: "none")) == nil)
  }

  @Test func `a page of this address may read`() throws {
    let access = try access("127.0.0.1:9900")
    #expect(
      access.refusal(of: .read, claim("localhost:9900", origin: "http://localhost:9900", site: "same-origin")) == nil)
  }

  @Test func `a change needs the token`() throws {
    let access = try access("127.0.0.1:9900", token: "right")
    #expect(access.refusal(of: .write, claim("localhost:9900")) == .unauthorized)
    for wrong in ["wrong", "righ", "rightx", "", "RIGHT", "rightright"] {
      #expect(access.refusal(of: .write, claim("localhost:9900", token: wrong)) == .unauthorized, "\(wrong)")
    }
    #expect(access.refusal(of: .write, claim("localhost:9900", token: "right")) == nil)
  }

  @Test func `without a token nobody changes anything over TCP`() throws {
    let access = try access("127.0.0.1:9900")
    #expect(access.refusal(of: .write, claim("localhost:9900")) == .noToken)
    #expect(access.refusal(of: .write, claim("localhost:9900", token: "")) == .noToken)
  }

  @Test func `an empty token opens nothing`() throws {
    #expect(
      try access("127.0.0.1:9900", token: "").refusal(of: .write, claim("localhost:9900", token: "")) == .unauthorized)
  }

  @Test func `the Unix socket needs no token`() throws {
    let access = try access("unix:/run/sluice.sock")
    #expect(access.refusal(of: .write, claim("localhost")) == nil)
    #expect(access.refusal(of: .write, claim("anything", origin: "http://evil.example")) == .foreignOrigin)
  }

  @Test func `other machines show the token to read`() throws {
    let access = try access("0.0.0.0:9900", token: "t")
    #expect(access.refusal(of: .read, claim("gateway.internal:9900", loopback: false)) == .unauthorized)
    #expect(access.refusal(of: .read, claim("gateway.internal:9900", loopback: false, token: "t")) == nil)
    #expect(access.refusal(of: .open, claim("gateway.internal:9900", loopback: false)) == nil)
    #expect(access.refusal(of: .read, claim("localhost:9900")) == nil)
    #expect(access.refusal(of: .read, claim("evil.example")) == .unauthorized)
  }
}
