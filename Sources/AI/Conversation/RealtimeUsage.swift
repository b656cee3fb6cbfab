/// What a provider of realtime conversations says in its events of what it used.
///
/// https://platform.openai.com/docs/api-reference/realtime-server-events/response/done
public enum RealtimeUsage {
  /// The tokens of an answer that has ended; nil of any other event.
  public static func read(_ event: [UInt8]) -> Usage? {
    guard let element = try? JSONElement(parsing: event), element["type"]?.string == "response.done",
      let usage = element["response"]?["usage"]
    else { return nil }
    return Usage(
      input: Usage.count(usage["input_tokens"]),
      cachedInput: Usage.count(usage["input_token_details"]?["cached_tokens"]),
      output: Usage.count(usage["output_tokens"]))
  }
}
