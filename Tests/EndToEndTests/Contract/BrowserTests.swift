import GatewayTesting
import Kernel
import Testing

/// A browser whose page on one site calls the gateway on another.
struct BrowserTests {
  private static let browser = ["/usr/bin/chromium", "/usr/bin/google-chrome"].first {
    Shell.run("test -x \($0)") == 0
  }

  /// Calls one after the other, so that the page is done when it is loaded, and writes down what it may see.
  private static let page = """
    <!doctype html><pre id="said"></pre><script>
    function call(key) {
      const request = new XMLHttpRequest();
      try {
        request.open("POST", "https://api.example.com/v2/feedback", false);
        request.setRequestHeader("Content-Type", "application/json");
        request.setRequestHeader("X-API-Key", key);
        request.send('{"msg":"hello"}');
        const id = request.getResponseHeader("X-Request-Id") ? "id" : "no id";
        const server = request.getResponseHeader("ETag") ? "etag" : "no etag";
        return [request.status, id, server].join(" ");
      } catch (error) { return error.name; }
    }
    said.textContent = location.hostname + ": " + call("secret") + "; " + call("wrong") + ".";
    </script>
    """

  private func open(_ site: String, page: Int, gateway: Int) throws -> String {
    let browser = try #require(Self.browser)
    let profile = try TemporaryDirectory()
    let hosts = "MAP api.example.com:443 127.0.0.1:\(gateway), MAP \(site):443 127.0.0.1:\(page)"
    return try TLSFixture.run(
      "timeout 100 \(browser) --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run "
        + "--no-proxy-server --disable-background-networking --disable-component-update --disable-sync "
        + "--ignore-certificate-errors --user-data-dir=\(profile.path) "
        + "--host-resolver-rules='\(hosts), MAP * ~NOTFOUND' --dump-dom https://\(site)/"
    ).output
  }

  @Test(.enabled(if: browser != nil, "`make test` installs Chromium"))
  func `a page of an allowed site calls and reads a refusal, one of another site does neither`() throws {
    let files = try TLSFixture.files
    let body = Self.page.split(separator: "\n").joined(separator: " ").replacing("'", with: "''")
    let text =
      "routes: { all: { match: /*, respond: { status: 200, headers: { Content-Type: text/html }, body: '\(body)' } } }"
    try withGateway(text, TLSFixture.plan([files.localhost])) { site in
      try SecureContractTests().withContract { gateway, stage in
        let allowed = try open("app.example.com", page: site.port, gateway: stage.securePort)
        #expect(allowed.contains("app.example.com: 201 id no etag; 401 id no etag."), "\(allowed)")
        let other = try open("app.example.net", page: site.port, gateway: stage.securePort)
        #expect(other.contains("app.example.net: NetworkError; NetworkError."), "\(other)")
        #expect(stage.received.count == 1)
        let records = try gateway.awaitRecords(4)
        // Each of the calls that may be made is asked for before, or the answer to that is remembered.
        #expect(records.contains { $0["method"]?.string == "OPTIONS" && $0["status"]?.integer == 204 })
        #expect(records.filter { $0["method"]?.string == "POST" }.count == 2)
      }
    }
  }
}
