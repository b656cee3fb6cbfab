import PluginKit

import Kernel

/// What became of one route when a request was matched.
public struct RouteExplanation: Sendable, Equatable {
  public enum Verdict: Sendable, Equatable {
    case chosen
    /// The first thing that did not fit, in the order in which a reader would check.
    case path, listener, host, method
    case header(String)
    case query(String)
    /// It fits, and another route fits more closely.
    case lessSpecific(than: Int)
  }

  public var route: Int
  /// Which of the route's paths fits; nil when none does.
  public var path: Int?
  public var verdict: Verdict
}

extension RouteTable {
  /// Says of every route why it is taken or not.
  ///
  /// It goes through the routes one by one as their patterns say, for people and not for traffic; tests hold it against
  /// `match`.
  public func explain<Conditions: RouteConditions & ~Copyable & ~Escapable>(
    _ request: borrowing RouteRequest, _ conditions: borrowing Conditions
  ) -> [RouteExplanation] {
    var explanations: [RouteExplanation] = []
    if request.preflightMethod != nil {
      explanations = explain(request, method: request.method, mustBeNamed: true, conditions)
    }
    if !explanations.contains(where: { $0.verdict == .chosen }) {
      guard let asked = request.preflightMethod else {
        return explain(request, method: request.method, mustBeNamed: false, conditions)
      }
      return explain(request, method: asked, mustBeNamed: false, conditions)
    }
    return explanations
  }

  private func explain<Conditions: RouteConditions & ~Copyable & ~Escapable>(
    _ request: borrowing RouteRequest, method: Span<UInt8>, mustBeNamed: Bool, _ conditions: borrowing Conditions
  ) -> [RouteExplanation] {
    let segments = text(request.path).split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(
      String.init)
    let host = text(request.host.extracting(HostName.range(in: request.host))).lowercased()
    let method = text(method)
    let isRooted = request.path.count > 0 && request.path[0] == UInt8(ascii: "/")
    var best: Precedence?
    var explanations: [RouteExplanation] = []
    for (index, pattern) in patterns.enumerated() {
      var explanation = RouteExplanation(route: index, path: nil, verdict: .path)
      for (path, template) in pattern.paths.enumerated() {
        guard isRooted, let shape = shape(of: template, fitting: segments) else { continue }
        var precedence = Precedence(shape: shape, host: 0, rank: pattern.rank, route: index)
        let failure = failure(
          of: pattern, request.listener, host: host, method: method, mustBeNamed: mustBeNamed, conditions, &precedence)
        if explanation.path == nil || failure == nil { explanation.path = path }
        if failure == nil || explanation.verdict == .path { explanation.verdict = failure ?? .chosen }
        if failure == nil, best.map({ precedence.goesBefore($0) }) ?? true { best = precedence }
      }
      explanations.append(explanation)
    }
    guard let best else { return explanations }
    for index in explanations.indices where explanations[index].verdict == .chosen && index != best.route {
      explanations[index].verdict = .lessSpecific(than: best.route)
    }
    return explanations
  }

  /// The first thing that keeps the pattern from fitting; what fits is noted in `precedence`.
  private func failure<Conditions: RouteConditions & ~Copyable & ~Escapable>(
    of pattern: RoutePattern, _ listener: Int, host: String, method: String, mustBeNamed: Bool,
    _ conditions: borrowing Conditions, _ precedence: inout Precedence
  ) -> RouteExplanation.Verdict? {
    if !pattern.listeners.isEmpty, !pattern.listeners.contains(listener) { return .listener }
    if !pattern.hosts.isEmpty {
      guard let closeness = pattern.hosts.compactMap({ closeness(of: $0, to: host) }).max() else { return .host }
      precedence.host = closeness
    }
    for condition in pattern.headers where !hasHeader(condition, conditions) { return .header(condition.name) }
    for condition in pattern.query where !hasQuery(condition, conditions) { return .query(condition.name) }
    precedence.headIsImplied = pattern.methods.contains("GET") && !pattern.methods.contains("HEAD")
    let isNamed = pattern.methods.contains(method) || (method == "HEAD" && pattern.methods.contains("GET"))
    let isTaken = pattern.methods.isEmpty ? !mustBeNamed : isNamed
    return isTaken ? nil : .method
  }

  private func hasHeader<Conditions: RouteConditions & ~Copyable & ~Escapable>(
    _ condition: RouteCondition, _ conditions: borrowing Conditions
  ) -> Bool {
    guard let value = condition.value else { return conditions.hasHeader(condition.name.utf8Span.span) }
    return conditions.hasHeader(condition.name.utf8Span.span, value: value.utf8Span.span)
  }

  private func hasQuery<Conditions: RouteConditions & ~Copyable & ~Escapable>(
    _ condition: RouteCondition, _ conditions: borrowing Conditions
  ) -> Bool {
    guard let value = condition.value else { return conditions.hasQuery(condition.name.utf8Span.span) }
    return conditions.hasQuery(condition.name.utf8Span.span, value: value.utf8Span.span)
  }

  /// How the template fits, a number for each segment, lower being more specific; nil when it does not fit.
  private func shape(of template: PathTemplate, fitting segments: [String]) -> [Int]? {
    guard segments.count >= template.segments.count else { return nil }
    guard template.takesRest || segments.count == template.segments.count else { return nil }
    var shape: [Int] = []
    for (pattern, segment) in zip(template.segments, segments) {
      switch pattern {
      case .literal(let text):
        guard text == segment else { return nil }
        shape.append(0)
      case .prefixed(let prefix, _):
        guard segment.hasPrefix(prefix), segment.utf8.count > prefix.utf8.count else { return nil }
        shape.append(PathTemplate.mostBytes - prefix.utf8.count)
      case .parameter:
        guard !segment.isEmpty else { return nil }
        shape.append(PathTemplate.mostBytes)
      }
    }
    return shape + [template.takesRest ? .max : 0]
  }

  /// How closely a host pattern fits: an exact one more than any wildcard, a longer wildcard more than a shorter one.
  private func closeness(of pattern: String, to host: String) -> Int? {
    guard let (name, isWildcard) = HostName.pattern(pattern) else { return nil }
    let wanted = String(decoding: name, as: UTF8.self)
    if !isWildcard { return wanted == host ? .max : nil }
    return host.hasSuffix("." + wanted) && host.utf8.count > wanted.utf8.count + 1 ? wanted.utf8.count : nil
  }

  private func text(_ bytes: Span<UInt8>) -> String {
    String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self)
  }
}

/// How closely a route fits a request, to be compared with another that fits it too.
private struct Precedence {
  var shape: [Int]
  var host: Int
  var rank: Int
  var headIsImplied = false
  var route: Int

  func goesBefore(_ other: Self) -> Bool {
    if shape != other.shape { return shape.lexicographicallyPrecedes(other.shape) }
    if host != other.host { return host > other.host }
    if rank != other.rank { return rank > other.rank }
    if headIsImplied != other.headIsImplied { return other.headIsImplied }
    return route < other.route
  }
}
