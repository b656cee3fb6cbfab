/// Running the hooks of bodies.
extension Chain {
  /// What the hooks want of this request's body together; nil when none wants it.
  public func wishForRequestBody(_ exchange: inout Exchange) -> BodyWish? {
    var wish: BodyWish?
    for hook in requestBody { wish = Self.join(wish, hook.wantsRequestBody(&exchange)) }
    return wish
  }

  public func wishForResponseBody(_ exchange: inout Exchange) -> BodyWish? {
    var wish: BodyWish?
    for hook in responseBody { wish = Self.join(wish, hook.wantsResponseBody(&exchange)) }
    return wish
  }

  /// Runs the hooks over a body that is held, until one decides otherwise than to proceed.
  public func runRequestBody(_ exchange: inout Exchange) -> Verdict {
    for hook in requestBody where hook.wantsRequestBody(&exchange) != nil {
      let verdict = hook.onRequestBody(&exchange)
      if case .proceed = verdict { continue }
      return verdict
    }
    return .proceed
  }

  public func runResponseBody(_ exchange: inout Exchange) -> Verdict {
    for hook in responseBody where hook.wantsResponseBody(&exchange) != nil {
      let verdict = hook.onResponseBody(&exchange)
      if case .proceed = verdict { continue }
      return verdict
    }
    return .proceed
  }

  /// The stricter of two wishes.
  private static func join(_ a: BodyWish?, _ b: BodyWish?) -> BodyWish? {
    guard let a else { return b }
    guard let b else { return a }
    return BodyWish(
      limit: min(a.limit, b.limit), passesUnread: a.passesUnread && b.passesUnread,
      holdsStreams: a.holdsStreams || b.holdsStreams)
  }
}
