import HTTP
import JSON
import Kernel
public import PluginKit

/// Edits messages on their way: fields, query and path, and JSON bodies.
///
/// A body is edited by splices on its own bytes: what no edit names stays as it came, spaces, digits and order. Where
/// nothing reads or edits the body, it is not held back.
public final class Transform: Plugin {
  private let settings: Settings
  private var editor = BodyEditor()
  /// What an edited body is written to, before it takes the place of the one that came.
  private var edited = ByteBuffer(capacity: 4096)
  private let requests: Outcomes
  private let responses: Outcomes

  public static let metrics = [messages]

  private static let messages = PluginMetric(
    "sluice_transform_messages", .counter, labels: ["direction", "outcome"],
    "Messages that transform came to; outcome is edited, unchanged (as far as the body goes), or refused.")

  private struct Outcomes {
    let edited: PluginCounter
    let unchanged: PluginCounter
    let refused: PluginCounter

    init(_ direction: Direction, _ services: any WorkerServices) {
      edited = services.counter(Transform.messages, [direction.rawValue, "edited"])
      unchanged = services.counter(Transform.messages, [direction.rawValue, "unchanged"])
      refused = services.counter(Transform.messages, [direction.rawValue, "refused"])
    }
  }

  public init(_ settings: Settings, _ services: any WorkerServices) {
    self.settings = settings
    requests = Outcomes(.request, services)
    responses = Outcomes(.response, services)
  }

  private func fail(
    _ failure: TransformFailure, _ direction: Direction, _ outcomes: Outcomes, _ exchange: inout Exchange
  ) -> Verdict {
    outcomes.refused.add()
    return .fail(failure.fault(direction, &exchange))
  }

  /// Edits the head, and the body that is held; whether the body is to be replaced by `edited`.
  private static func edit(
    _ exchange: inout Exchange, _ program: TransformProgram, _ direction: Direction, _ editor: inout BodyEditor,
    _ held: inout ByteBuffer, limit: Int, into edited: inout ByteBuffer
  ) throws(TransformFailure) -> Bool {
    let isConverted = program.format != .json
    if isConverted { try convert(&exchange, program.format, direction, &held, limit: limit) }
    edited.removeAll()
    editor.context.direction = direction
    do throws(JSONError) { try editor.parse(held.span) } catch { throw .malformed(error) }
    let isEdited = try editor.apply(program.body, exchange, held.span, to: &edited)
    if !isEdited, isConverted { edited.append(held.span) }
    if program.head.isEmpty { return isEdited || isConverted }
    switch direction {
    case .request: try program.head.apply(toRequest: &exchange, &editor.context, held.span)
    case .response: try program.head.apply(toResponse: &exchange, &editor.context, held.span)
    }
    return isEdited || isConverted
  }

  /// Makes JSON of a body of another format, and says so in its Content-Type.
  private static func convert(
    _ exchange: inout Exchange, _ format: SourceFormat, _ direction: Direction, _ held: inout ByteBuffer, limit: Int
  ) throws(TransformFailure) {
    var converted = ByteBuffer(capacity: 2 * held.count)
    do throws(ConversionFailure) {
      try append(exchange, format, direction, held.span, limit: limit, to: &converted)
    } catch { throw .conversion(error) }
    swap(&held, &converted)
    switch direction {
    case .request: exchange.request.setHeader("Content-Type", "application/json")
    case .response: exchange.response.setHeader("Content-Type", "application/json")
    }
  }

  private static func append(
    _ exchange: borrowing Exchange, _ format: SourceFormat, _ direction: Direction, _ body: Span<UInt8>, limit: Int,
    to out: inout ByteBuffer
  ) throws(ConversionFailure) {
    let type =
      direction == .request ? exchange.request.header(.contentType) : exchange.response.header(.contentType)
    // JSON has more quotes than most formats; beyond that, a body has grown in a way that nobody meant.
    try format.convert(body, type: type, limit: 8 * limit, to: &out)
  }
}

extension Transform: RequestHeadHook {
  public func onRequestHead(_ exchange: inout Exchange) -> Verdict {
    let program = settings.request.program
    // With a body to read, fields wait for it.
    if program.head.isEmpty || program.usesBody && exchange.request.head.framing != .none { return .proceed }
    editor.context.hasDocument = false
    editor.context.direction = .request
    let nothing = ByteBuffer(capacity: 16)
    do throws(TransformFailure) {
      try program.head.apply(toRequest: &exchange, &editor.context, nothing.span)
    } catch { return fail(error, .request, requests, &exchange) }
    requests.unchanged.add()
    return .proceed
  }
}

extension Transform: RequestBodyHook {
  public var takesRequestBodies: Bool { settings.request.program.usesBody }

  public func wantsRequestBody(_ exchange: inout Exchange) -> BodyWish? {
    exchange.request.head.framing == .none ? nil : BodyWish(limit: settings.limit)
  }

  public func onRequestBody(_ exchange: inout Exchange) -> Verdict {
    let format = settings.request.program.format
    guard format.isNamed(exchange.request.header(.contentType)) else {
      requests.refused.add()
      return .fail(format == .json ? .notJSON : .unexpectedType)
    }
    // Its bytes are read while the exchange is changed, so they stand apart meanwhile.
    var held = ByteBuffer(capacity: 16)
    swap(&held, &exchange.request.body)
    defer { swap(&held, &exchange.request.body) }
    do throws(TransformFailure) {
      let isEdited = try Self.edit(
        &exchange, settings.request.program, .request, &editor, &held, limit: settings.limit, into: &edited)
      if isEdited {
        swap(&held, &edited)
        exchange.request.bodyIsChanged = true
      }
      (isEdited ? requests.edited : requests.unchanged).add()
      return .proceed
    } catch { return fail(error, .request, requests, &exchange) }
  }
}

extension Transform: ResponseBodyHook {
  public static func readsAnswers(_ settings: Settings) -> Bool { settings.response.program.usesBody }

  public var takesResponseBodies: Bool { settings.response.program.usesBody }

  public func wantsResponseBody(_ exchange: inout Exchange) -> BodyWish? {
    guard let type = exchange.response.header(.contentType), settings.response.program.format.isNamed(type) else {
      return nil
    }
    return BodyWish(limit: settings.limit, passesUnread: settings.unreadable == .pass)
  }

  public func onResponseBody(_ exchange: inout Exchange) -> Verdict {
    exchange.notes.set(1, for: self)
    var held = ByteBuffer(capacity: 16)
    swap(&held, &exchange.response.body)
    defer { swap(&held, &exchange.response.body) }
    do throws(TransformFailure) {
      let isEdited = try Self.edit(
        &exchange, settings.response.program, .response, &editor, &held, limit: settings.limit, into: &edited)
      if isEdited {
        swap(&held, &edited)
        exchange.response.bodyIsChanged = true
      }
      (isEdited ? responses.edited : responses.unchanged).add()
      return .proceed
    } catch {
      if settings.unreadable == .refuse { return fail(error, .response, responses, &exchange) }
      exchange.notes.set(0, for: self)
      return .proceed
    }
  }
}

extension Transform: ResponseHeadHook {
  /// Fields of answers whose body was not edited: of faults, of what is no JSON.
  public func onResponseHead(_ exchange: inout Exchange) {
    let program = settings.response.program
    if program.head.isEmpty || exchange.notes.value(of: self) == 1 { return }
    editor.context.hasDocument = false
    editor.context.direction = .response
    let nothing = ByteBuffer(capacity: 16)
    do throws(TransformFailure) {
      try program.head.apply(toResponse: &exchange, &editor.context, nothing.span)
      responses.unchanged.add()
    } catch { responses.refused.add() }
  }
}
