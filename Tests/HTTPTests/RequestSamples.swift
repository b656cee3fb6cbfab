import HTTP

extension Sample {
  /// A request of HTTP/1.1 with these lines behind its Host.
  private static func with(_ lines: String, _ error: HTTPError) -> Sample {
    Sample("POST / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n\r\n", error)
  }

  /// A request whose only variable is its first line.
  private static func line(_ line: String, _ error: HTTPError) -> Sample {
    Sample("\(line)\r\nHost: a\r\n\r\n", error)
  }

  private static func host(_ host: String, _ error: HTTPError) -> Sample {
    Sample("GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n", error)
  }

  static let requests: [Sample] = [
    Sample("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "request|GET|/|1.1|host=a|none|keep-alive|27"),
    Sample("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "request|GET|/|1.1|host=a|none|keep-alive|29"),
    Sample("GET / HTTP/1.0\r\n\r\n", "request|GET|/|1.0|none|close|18"),
    Sample(
      "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
      "request|GET|/|1.0|connection=Keep-Alive|none|keep-alive|42"),
    Sample(
      "GET /a/b.c?d=%20&e[]={f|g} HTTP/1.1\r\nhOST:a.example:8080\r\n\r\nrest",
      "request|GET|/a/b.c?d=%2520&e[]={f%7cg}|1.1|host=a.example:8080|none|keep-alive|60"),
    Sample("OPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "request|OPTIONS|*|1.1|host=[::1]:80|none|keep-alive|38"),
    Sample(
      "GET HTTP://A.b/ HTTP/1.1\r\nHost: a.B\r\n\r\n", "request|GET|HTTP://A.b/|1.1|host=a.B|none|keep-alive|39"),
    Sample(
      "GET https://a?x HTTP/1.1\r\nHost: a\r\n\r\n", "request|GET|https://a?x|1.1|host=a|none|keep-alive|37"),
    Sample(
      "CONNECT a.b:443 HTTP/1.1\r\nHost: a.b:443\r\n\r\n",
      "request|CONNECT|a.b:443|1.1|host=a.b:443|none|keep-alive|43"),
    Sample(
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\nhello",
      "request|POST|/|1.1|host=a|content-length=12|length 12|keep-alive|48"),
    Sample(
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
      "request|POST|/|1.1|host=a|content-length=0|none|keep-alive|47"),
    Sample(
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:   Chunked  \r\n\r\n",
      "request|POST|/|1.1|host=a|transfer-encoding=Chunked|chunked|keep-alive|60"),
    Sample(
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, close\r\n\r\n",
      "request|GET|/|1.1|host=a|connection=keep-alive,%20close|none|close|58"),
    Sample(
      Array("GET / HTTP/1.1\r\nHost: a\r\nX: ".utf8) + [0x80, 0xff, 0x09, 0x20] + Array("y\r\nEmpty:\r\n\r\n".utf8),
      "request|GET|/|1.1|host=a|x=%80%ff%09%20y|empty=|none|keep-alive|45"),
    Sample(
      "BREW-it / HTTP/1.1\r\nHost: a\r\nX_y: 1\r\n!#$&'*+.^`~: 2\r\n\r\n",
      "request|BREW-it|/|1.1|host=a|x_y=1|!#$&'*+.^`~=2|none|keep-alive|55"),
    Sample("get / HTTP/1.1\r\nHost: a\r\n\r\n", "request|get|/|1.1|host=a|none|keep-alive|27"),
  ]

  static let incompleteRequests: [Sample] = [
    Sample("", "incomplete"), Sample("\r", "incomplete"), Sample("\r\n", "incomplete"), Sample("GET", "incomplete"),
    Sample("GET ", "incomplete"), Sample("GET http:/", "incomplete"), Sample("GET /", "incomplete"),
    Sample("GET / HTT", "incomplete"), Sample("GET / HTTP/1.1", "incomplete"), Sample("GET / HTTP/1.1\r", "incomplete"),
    Sample("GET / HTTP/1.1\r\nHost: a\r\n", "incomplete"), Sample("GET / HTTP/1.1\r\nHost: a\r\n\r", "incomplete"),
  ]

  static let refusedRequests: [Sample] = lines + targets + versions + fieldLines + hosts + framings + connections

  private static let lines: [Sample] = [
    line(" GET / HTTP/1.1", .invalidRequestLine),
    line("GET  / HTTP/1.1", .invalidRequestLine),
    line("GET\t/ HTTP/1.1", .invalidRequestLine),
    line("GET /\tHTTP/1.1", .invalidTarget),
    line("GET / HTTP/1.1 ", .invalidVersion),
    line("GET / x HTTP/1.1", .invalidVersion),
    line("G(T / HTTP/1.1", .invalidRequestLine),
    line(String(repeating: "A", count: 25) + " / HTTP/1.1", .methodTooLong),
    line("GET", .invalidRequestLine),
    line("GET /", .invalidRequestLine),
    line("\r\n\r\nGET / HTTP/1.1", .invalidRequestLine),
    Sample("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .bareLineFeed),
    Sample("\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", .bareCarriageReturn),
    Sample("GET / HTTP/1.1\nHost: a\r\n\r\n", .bareLineFeed),
    Sample("GET / HTTP/1.1\rHost: a\r\n\r\n", .bareCarriageReturn),
    Sample("GET /\nHTTP/1.1\r\n\r\n", .bareLineFeed),
    Sample("\0GET / HTTP/1.1\r\n\r\n", .nulByte),
    Sample("GET /\0 HTTP/1.1\r\n\r\n", .nulByte),
    Sample([0x16, 0x03, 0x01, 0x02, 0x00, 0x01], .invalidRequestLine),
  ]

  private static let targets: [Sample] = [
    line("GET a HTTP/1.1", .invalidTarget),
    line("GET ?a HTTP/1.1", .invalidTarget),
    line("GET * HTTP/1.1", .invalidTarget),
    line("OPTIONS *x HTTP/1.1", .invalidTarget),
    line("GET a:80 HTTP/1.1", .invalidTarget),
    line("CONNECT / HTTP/1.1", .invalidTarget),
    line("CONNECT a HTTP/1.1", .invalidHost),
    line("GET ftp://a/ HTTP/1.1", .invalidTarget),
    line("GET http:///a HTTP/1.1", .invalidHost),
    line("GET http://u@a/ HTTP/1.1", .invalidHost),
    line("GET /a#b HTTP/1.1", .invalidTarget),
    line("GET /a?b#c HTTP/1.1", .invalidTarget),
    line("GET /a\\b HTTP/1.1", .invalidTarget),
    line("GET /a\"b HTTP/1.1", .invalidTarget),
    line("GET /a<b> HTTP/1.1", .invalidTarget),
    line("GET /{a} HTTP/1.1", .invalidTarget),
    line("GET /a\u{7f} HTTP/1.1", .invalidTarget),
    line("GET /\u{e9} HTTP/1.1", .invalidTarget),
    line("GET /?\u{e9} HTTP/1.1", .invalidTarget),
    line("GET /" + String(repeating: "a", count: 8192) + " HTTP/1.1", .targetTooLong),
    line("GET /?" + String(repeating: "a", count: 9000) + " HTTP/1.1", .targetTooLong),
    line("GET http://" + String(repeating: "a", count: 9000) + "/ HTTP/1.1", .targetTooLong),
  ]

  private static let versions: [Sample] = [
    line("GET / http/1.1", .invalidVersion),
    line("GET / HTTP/1.10", .invalidVersion),
    line("GET / HTTP/11", .invalidVersion),
    line("GET / HTTP/1,1", .invalidVersion),
    line("GET / HTTP/0.9", .unsupportedVersion),
    line("GET / HTTP/1.2", .unsupportedVersion),
    line("GET / HTTP/2.0", .unsupportedVersion),
    line("GET / HTTP/3.0", .unsupportedVersion),
    Sample("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .unsupportedVersion),
  ]

  private static let fieldLines: [Sample] = [
    with("X", .missingColon),
    with(": x", .emptyFieldName),
    with("X : y", .spaceBeforeColon),
    with("X\t: y", .spaceBeforeColon),
    with("Transfer-Encoding : chunked", .spaceBeforeColon),
    with("X: a\r\n b", .obsoleteFold),
    with("X: a\r\n\tb", .obsoleteFold),
    Sample("GET / HTTP/1.1\r\n Host: a\r\n\r\n", .obsoleteFold),
    with("X(: a", .invalidFieldName),
    with("\u{e9}: a", .invalidFieldName),
    with("X\0: a", .nulByte),
    with("X: a\0b", .nulByte),
    with("X: a\u{1}b", .invalidFieldValue),
    with("X: a\u{7f}b", .invalidFieldValue),
    with("X: a\rb", .bareCarriageReturn),
    with("X: a\nY: b", .bareLineFeed),
    with("X\n: b", .bareLineFeed),
    with("\n", .bareLineFeed),
    Sample("GET / HTTP/1.1\r\nHost: a\r\n\rX", .bareCarriageReturn),
    Sample("GET / HTTP/1.1\r\nHost: a\r\n\n", .bareLineFeed),
    with("Transfer_Encoding: chunked", .lookAlikeFieldName),
    with("content_length: 5", .lookAlikeFieldName),
    with("Content.Length: 5", .lookAlikeFieldName),
    with("X_Forwarded-For: 1.2.3.4", .lookAlikeFieldName),
    with(String(repeating: "a", count: 257) + ": b", .fieldNameTooLong),
    with(String(repeating: "a", count: 250) + "_______________: b", .fieldNameTooLong),
    with("X: " + String(repeating: "a", count: 17_000), .headTooLarge),
    with(String(repeating: "X: y\r\n", count: 100) + "X: z", .tooManyFields),
  ]

  private static let hosts: [Sample] = [
    Sample("GET / HTTP/1.1\r\n\r\n", .missingHost),
    Sample("GET http://a/ HTTP/1.1\r\n\r\n", .missingHost),
    Sample("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", .repeatedHost),
    Sample("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", .repeatedHost),
    Sample("GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n", .hostMismatch),
    Sample("GET http://a:8080/ HTTP/1.1\r\nHost: a\r\n\r\n", .hostMismatch),
    Sample("GET http://a:443/ HTTP/1.1\r\nHost: a\r\n\r\n", .hostMismatch),
    Sample("GET https://a:80/ HTTP/1.1\r\nHost: a\r\n\r\n", .hostMismatch),
    Sample("GET http://a/ HTTP/1.1\r\nHost: a:443\r\n\r\n", .hostMismatch),
    Sample("GET http://a:80/ HTTP/1.1\r\nHost: b\r\n\r\n", .hostMismatch),
    Sample("GET http://[::80]/ HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", .hostMismatch),
    Sample("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", .hostMismatch),
    host("", .invalidHost), host("a b", .invalidHost), host("a,b", .invalidHost), host("a/b", .invalidHost),
    host("u@a", .invalidHost), host("a:", .invalidHost), host("a:0", .invalidHost), host("a:65536", .invalidHost),
    host("a:8080x", .invalidHost), host("a:80:80", .invalidHost), host(":80", .invalidHost), host("%61", .invalidHost),
    host("http://a", .invalidHost), host("[::1", .invalidHost), host("[]", .invalidHost), host("[::1]x", .invalidHost),
    host("[1:2]", .invalidHost), host("[::1%eth0]", .invalidHost), host("[g::]", .invalidHost),
    host(String(repeating: "a", count: 256), .invalidHost),
  ]

  private static let framings: [Sample] = [
    with("Content-Length: 5\r\nContent-Length: 5", .repeatedContentLength),
    with("Content-Length: 5\r\nContent-Length: 6", .repeatedContentLength),
    with("Content-Length: 5, 5", .invalidContentLength),
    with("Content-Length: +5", .invalidContentLength),
    with("Content-Length: -5", .invalidContentLength),
    with("Content-Length: 0x5", .invalidContentLength),
    with("Content-Length: 5 5", .invalidContentLength),
    with("Content-Length: 5.0", .invalidContentLength),
    with("Content-Length:", .invalidContentLength),
    with("Content-Length: 9223372036854775808", .contentLengthOverflow),
    with("Content-Length: 18446744073709551621", .contentLengthOverflow),
    with("Content-Length: 99999999999999999999999999999", .contentLengthOverflow),
    with("Content-Length: 5\r\nTransfer-Encoding: chunked", .lengthAndTransferEncoding),
    with("Transfer-Encoding: chunked\r\nContent-Length: 0", .lengthAndTransferEncoding),
    with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", .invalidTransferEncoding),
    with("Transfer-Encoding: chunked, chunked", .invalidTransferEncoding),
    with("Transfer-Encoding: chunked, gzip", .invalidTransferEncoding),
    with("Transfer-Encoding:", .invalidTransferEncoding),
    with("Transfer-Encoding: ,chunked", .invalidTransferEncoding),
    with("Transfer-Encoding: chunked,", .invalidTransferEncoding),
    with("Transfer-Encoding: chunked;q=1", .invalidTransferEncoding),
    with("Transfer-Encoding: \"chunked\"", .invalidTransferEncoding),
    with("Transfer-Encoding: chunked x", .invalidTransferEncoding),
    with("Transfer-Encoding: chunked\t", .invalidTransferEncoding),
    with("Transfer-Encoding:\tchunked", .invalidTransferEncoding),
    with("Transfer-Encoding: chunked \t \r\nX: y", .invalidTransferEncoding),
    with("Content-Length: 5\t", .invalidContentLength),
    with("Content-Length: \t5", .invalidContentLength),
    with("Transfer-Encoding: gzip, chunked", .unknownTransferCoding),
    with("Transfer-Encoding: gzip", .unknownTransferCoding),
    with("Transfer-Encoding: identity", .unknownTransferCoding),
    with("Transfer-Encoding: xchunked", .unknownTransferCoding),
    with("Transfer-Encoding: chunke", .unknownTransferCoding),
    with("Transfer-Encoding: \u{b}chunked", .invalidFieldValue),
    Sample("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", .transferEncodingInHTTP10),
    Sample("TRACE / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n", .contentNotAllowed),
    Sample("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nContent-Length: 1\r\n\r\n", .contentNotAllowed),
  ]

  private static let connections: [Sample] = [
    with("Connection: Content-Length", .invalidConnectionOption),
    with("Connection: close, transfer-encoding", .invalidConnectionOption),
    with("Connection: host", .invalidConnectionOption),
    with("Connection: a b", .invalidConnectionOption),
    with("Connection: (a)", .invalidConnectionOption),
    with("Connection: " + String(repeating: "a,", count: 16), .invalidConnectionOption),
    with("Expect: 200-ok", .unknownExpectation),
    with("Expect: 100-continue, x", .unknownExpectation),
    with("Expect: 100-continue\r\nExpect: 100-continue", .unknownExpectation),
  ]
}
