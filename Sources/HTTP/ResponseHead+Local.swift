extension ResponseHead {
  /// Starts the head of a response that was not received: no fields, no bytes behind it.
  ///
  /// - Parameter status: 200 to 599.
  public mutating func begin(status: Int) {
    reset()
    self.status = status
  }
}
