extension Origin {
  /// Answers every request with 200 and this body, and keeps connections open.
  package static func ok(_ body: String = "ok", fields: [String] = []) throws -> Origin {
    try Origin { connection in
      while let request = try connection.request() {
        if request.method == "HEAD" {
          try connection.send(
            "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n"
              + fields.map { $0 + "\r\n" }.joined() + "\r\n")
        } else {
          try connection.answer(fields, body: body)
        }
      }
    }
  }

  /// Answers each request with its own body, in chunks where it came in chunks.
  package static func echo() throws -> Origin {
    try Origin { connection in
      while let request = try connection.request() { try connection.answer(body: request.text) }
    }
  }

  /// Sends exactly these bytes once a request has arrived, then closes, or keeps listening.
  package static func sending(_ bytes: String, thenCloses: Bool = true) throws -> Origin {
    try Origin { connection in
      while try connection.request() != nil {
        try connection.send(bytes)
        if thenCloses { return }
      }
    }
  }

  /// Reads and never answers.
  package static func silent() throws -> Origin { try Origin { $0.awaitEnd() } }
}

extension OriginConnection {
  func answer(_ fields: [String], body: String) throws { try answer("200 OK", fields, body: body) }
}
