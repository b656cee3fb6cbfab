/// Messages of Anthropic's dialect, after https://docs.anthropic.com/en/api/messages-examples,
/// https://docs.anthropic.com/en/api/messages-streaming and https://docs.anthropic.com/en/api/errors.
enum MessagesSamples {
  static let text = #"""
    {"model":"careful","max_tokens":1024,"system":[{"type":"text","text":"Be brief."}],
    "messages":[{"role":"user","content":"Hello"},{"role":"assistant","content":"Hi!"},{"role":"user","content":[{"type":"text","text":"Again"}]}],
    "temperature":1.0,"stop_sequences":["END","STOP"],"metadata":{"user_id":"u-1"}}
    """#.compact

  static let tools = #"""
    {"model":"careful","max_tokens":100,"messages":[{"role":"user","content":"Weather?"},
    {"role":"assistant","content":[{"type":"text","text":"I look."},{"type":"tool_use","id":"toolu_1","name":"get_weather","input":{"city": "Paris"}}]},
    {"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"18 C"},{"type":"text","text":"So?"}]}],
    "tools":[{"name":"get_weather","description":"Current weather","input_schema":{"type":"object","properties":{"city":{"type":"string"}}}}],
    "tool_choice":{"type":"any","disable_parallel_tool_use":true}}
    """#.compact

  static let image = #"""
    {"model":"careful","max_tokens":100,"messages":[{"role":"user","content":[
    {"type":"image","source":{"type":"base64","media_type":"image/jpeg","data":"/9j/4AAQ"}},
    {"type":"image","source":{"type":"url","url":"https://example.com/cat.png"}},
    {"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0="},"title":"a.pdf"},
    {"type":"text","text":"What is it?"}]}]}
    """#.compact

  static let structured = #"""
    {"model":"careful","max_tokens":100,"messages":[{"role":"user","content":"Ann is 5"}],
    "output_config":{"format":{"type":"json_schema","schema":{"type":"object"}}}}
    """#.compact

  static let answer = #"""
    {"id":"msg_1","type":"message","role":"assistant","content":[{"type":"thinking","thinking":"Hm.","signature":"c2ln"},{"type":"text","text":"Hello 😀 there"}],
    "model":"claude-sonnet-4-5","stop_reason":"end_turn","stop_sequence":null,
    "usage":{"input_tokens":12,"cache_creation_input_tokens":1,"cache_read_input_tokens":6,"output_tokens":6}}
    """#.compact

  static let answerWithTools = #"""
    {"id":"msg_2","type":"message","role":"assistant","content":[{"type":"text","text":"I look."},
    {"type":"tool_use","id":"toolu_1","name":"get_weather","input":{"city":"Paris"}}],
    "model":"claude-sonnet-4-5","stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":12,"output_tokens":6}}
    """#.compact

  static let error = #"{"type":"error","error":{"type":"rate_limit_error","message":"Slow down"},"request_id":"req_1"}"#

  private static func event(_ name: String, _ rest: String) -> String {
    "event: \(name)\ndata: {\"type\":\"\(name)\"\(rest)}\n\n"
  }

  private static let start = event(
    "message_start",
    #","message":{"id":"msg_3","type":"message","role":"assistant","content":[],"model":"claude-sonnet-4-5","stop_reason":null,"#
      + #""stop_sequence":null,"usage":{"input_tokens":25,"cache_read_input_tokens":5,"output_tokens":1}}"#)

  private static func end(_ reason: String) -> String {
    event("message_delta", #","delta":{"stop_reason":"\#(reason)","stop_sequence":null},"usage":{"output_tokens":15}"#)
      + event("message_stop", "")
  }

  private static func textDelta(_ index: Int, _ text: String) -> String {
    event("content_block_delta", #","index":\#(index),"delta":{"type":"text_delta","text":"\#(text)"}"#)
  }

  private static func textStart(_ index: Int) -> String {
    event("content_block_start", #","index":\#(index),"content_block":{"type":"text","text":""}"#)
  }

  private static func stop(_ index: Int) -> String { event("content_block_stop", #","index":\#(index)"#) }

  static let stream =
    start + textStart(0) + event("ping", "") + textDelta(0, "Hel") + textDelta(0, "lo 😀") + stop(0) + end("end_turn")

  static let streamWithTools =
    start + textStart(0) + textDelta(0, "Let me see.") + stop(0)
    + event(
      "content_block_start",
      #","index":1,"content_block":{"type":"tool_use","id":"toolu_1","name":"get_weather","input":{}}"#)
    + event("content_block_delta", #","index":1,"delta":{"type":"input_json_delta","partial_json":""}"#)
    + event("content_block_delta", #","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"city\":"}"#)
    + event("content_block_delta", #","index":1,"delta":{"type":"input_json_delta","partial_json":"\"Paris\"}"}"#)
    + stop(1) + end("tool_use")

  static let streamWithError =
    start + textStart(0) + textDelta(0, "Hel")
    + "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n"
}
