import JSON
public import Kernel

/// Answers that were kept, in the place of a provider's.
extension ProviderAnswer {
  /// Says an answer that was kept as the client asked for it, whole or as a stream; its status is 200.
  public mutating func replay(_ kept: Answer, into out: inout ByteBuffer) {
    var kept = kept
    let name = kept.head.model
    kept.head = AnswerHead(id: head.id, model: name.isEmpty ? head.model : name, created: head.created)
    (finish, model, isOver) = (kept.finish, name, true)
    var said = ByteBuffer(capacity: kept.size + 1024)
    if request.streams {
      for event in kept.events { writer.write(event, into: &said) }
    } else {
      var json = JSONWriter(capacity: kept.size + 1024)
      request.front.write(kept, into: &json)
      said.append(json.buffer.span)
    }
    guard isScreened else { return out.append(said.span) }
    screen?.count(kept.length)
    if request.streams { return sift(said, into: &out) }
    if let filtered = screen?.filter(whole: ModelRequest.array(said.span)) { out.append(filtered.span) }
    broken = screen?.broken
  }
}
