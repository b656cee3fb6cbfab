import JSON
public import Kernel

/// Whole answers.
extension ProviderAnswer {
  /// Notes that the whole answer went to the client as it came.
  public mutating func endPassing() { isOver = true }

  /// Turns a whole answer into the client's; the status that it has.
  ///
  /// - Parameter isText: whether the body is one text, as a transcript may be.
  public mutating func translate(
    _ body: [UInt8], status: Int, isText: Bool = false, into out: inout ByteBuffer
  ) -> Int {
    // Vectors are no texts.
    guard isScreened, status >= 400 || request.operation?.embeds != true else {
      return write(body, status: status, into: &out)
    }
    var written = ByteBuffer(capacity: body.count + 256)
    let status = write(body, status: status, into: &written)
    if isText, status < 400 { self.written = body.count }
    screen?.count(self.written)
    if let filtered = screen?.filter(whole: Array(copying: written.span), isText: isText) { out.append(filtered.span) }
    broken = screen?.broken
    return status
  }

  private mutating func write(_ body: [UInt8], status: Int, into out: inout ByteBuffer) -> Int {
    isOver = true
    if let asked = request.embeddings, status < 400 { return write(asked, body, into: &out) }
    if let operation = request.operation, status < 400 {
      usage = operation.readUsage(body)
      out.append(body.span)
      return status
    }
    guard let element = try? JSONElement(parsing: body) else {
      return refuse(Self.unreadable(status), into: &out)
    }
    if status >= 400 || element["error"] != nil {
      guard let failure = request.back.readFailure(element, status: status) else {
        return refuse(Self.unreadable(status), into: &out)
      }
      self.failure = failure
      if request.isNative, request.embeddings == nil, status >= 400 {
        out.append(body.span)
        return status
      }
      return refuse(failure, into: &out)
    }
    guard let answer = try? request.back.readAnswer(element) else {
      guard request.isNative, let counts = request.back.usage(ofAnswer: element) else {
        return refuse(.malformedAnswer, into: &out)
      }
      // Who speaks this dialect may know what is new in it.
      usage = counts
      out.append(body.span)
      return status
    }
    return write(answer, of: body, status: status, into: &out)
  }

  private mutating func write(
    _ answer: Answer, of body: [UInt8], status: Int, into out: inout ByteBuffer
  ) -> Int {
    var answer = answer
    if let tool = request.answerTool { answer = answer.asText(from: tool) }
    usage = answer.usage
    finish = answer.finish
    model = answer.head.model
    written = answer.length
    recorder?.take(answer)
    if wantedWords > 0 { words = answer.parts.flatMap(\.words) }
    if request.isNative {
      out.append(body.span)
      return status
    }
    if answer.hasImage, request.front == .messages { return refuse(.imageless, into: &out) }
    if answer.head.id.isEmpty { answer.head.id = head.id }
    if answer.head.model.isEmpty { answer.head.model = head.model }
    if answer.head.created == 0 { answer.head.created = head.created }
    var json = JSONWriter(capacity: body.count + 256)
    request.front.write(answer, into: &json)
    out.append(json.buffer.span)
    return 200
  }

  /// Turns vectors into the client's.
  private mutating func write(_ asked: AskedEmbeddings, _ body: [UInt8], into out: inout ByteBuffer) -> Int {
    guard let element = try? JSONElement(parsing: body),
      var answer = try? asked.back.read(element, count: asked.count)
    else { return refuse(.malformedAnswer, into: &out) }
    if answer.usage.isEmpty { answer.usage = Usage(input: min(max(0, countedInput), Usage.most)) }
    usage = answer.usage
    model = answer.model
    if answer.model.isEmpty { answer.model = head.model }
    var json = JSONWriter(capacity: body.count + 256)
    do { try EmbeddingFront.write(answer, as: asked, request.front, into: &json) } catch {
      return refuse(error, into: &out)
    }
    out.append(json.buffer.span)
    return 200
  }

  private mutating func refuse(_ failure: Failure, into out: inout ByteBuffer) -> Int {
    self.failure = failure
    var json = JSONWriter()
    request.front.write(failure, into: &json)
    out.append(json.buffer.span)
    return failure.answerStatus
  }

  /// A page of some proxy on the way, for example.
  private static func unreadable(_ status: Int) -> Failure {
    if status < 400 { return .malformedAnswer }
    return Failure(
      Failure.kind(ofStatus: status), "The provider answered with status \(status) and no readable reason.",
      status: status)
  }
}
