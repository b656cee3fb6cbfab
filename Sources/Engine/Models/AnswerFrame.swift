import HTTP

/// What the head of a provider's answer said, before the client's takes its place.
struct AnswerFrame {
  let status: Int
  let framing: BodyFraming
  let keepsAlive: Bool
  let isStream: Bool
  let coding: HeldCoding

  init(_ head: borrowing ResponseHead, _ isStream: Bool, _ coding: HeldCoding) {
    status = head.status
    framing = head.framing
    keepsAlive = head.keepAlive
    self.isStream = isStream
    self.coding = coding
  }
}
