/// The timeouts that hold for one call: the upstream's, where the route does not say otherwise. Nanoseconds.
struct CallTimeouts {
  var connect: Int
  var firstByte: Int
  /// After which another target is asked too.
  var hedge: Int
  var idle: Int
  var total: Int?
  /// The longest silence of a connection that was upgraded.
  var tunnel: Int
  /// The longest silence of a client that sends its body.
  var clientBody: Int
  var queue: Int
}
