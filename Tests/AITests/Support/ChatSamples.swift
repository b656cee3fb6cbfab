/// Messages of Chat Completions, after https://platform.openai.com/docs/api-reference/chat and
/// https://platform.openai.com/docs/guides/function-calling.
enum ChatSamples {
  static let text = #"""
    {"model":"fast","messages":[{"role":"developer","content":"Be brief."},{"role":"user","content":"Say \"caf\u00e9\" 😀"}],"temperature":0.70,"max_completion_tokens":50,"stop":"END"}
    """#.compact

  static let tools = #"""
    {"model":"fast","messages":[{"role":"user","content":"Weather in Paris and Rome?"},
    {"role":"assistant","content":null,"tool_calls":[
    {"id":"call_1","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Paris\"}"}},
    {"id":"call_2","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Rome\"}"}}]},
    {"role":"tool","tool_call_id":"call_1","content":"18 C"},
    {"role":"tool","tool_call_id":"call_2","content":"24 C"},
    {"role":"user","content":"Which is warmer?"}],
    "tools":[{"type":"function","function":{"name":"get_weather","description":"Current weather","parameters":{"type":"object","properties":{"city":{"type":"string","maximum":1e3}},"required":["city"]},"strict":true}}],
    "tool_choice":"required","parallel_tool_calls":false}
    """#.compact

  static let image = #"""
    {"model":"fast","messages":[{"role":"user","content":[{"type":"text","text":"What is it?"},
    {"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}},
    {"type":"image_url","image_url":{"url":"https://example.com/cat.png","detail":"low"}},
    {"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,JVBERi0="}}]}]}
    """#.compact

  static let structured = #"""
    {"model":"fast","messages":[{"role":"user","content":"Ann is 5"}],"response_format":{"type":"json_schema",
    "json_schema":{"name":"person","schema":{"type":"object","properties":{"age":{"type":"integer"}}},"strict":true}}}
    """#.compact

  static let answer = #"""
    {"id":"chatcmpl-1","object":"chat.completion","created":1741569952,"model":"gpt-4o-mini-2024-07-18","choices":[
    {"index":0,"message":{"role":"assistant","content":"Hello 😀 there","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],
    "usage":{"prompt_tokens":19,"completion_tokens":10,"total_tokens":29,"prompt_tokens_details":{"cached_tokens":4,"audio_tokens":0},
    "completion_tokens_details":{"reasoning_tokens":3,"audio_tokens":0}},"service_tier":"default"}
    """#.compact

  static let answerWithTools = #"""
    {"id":"chatcmpl-2","object":"chat.completion","created":1741569952,"model":"gpt-4o-mini","choices":[
    {"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function",
    "function":{"name":"get_weather","arguments":"{\n\"city\": \"Paris\"\n}"}}]},"logprobs":null,"finish_reason":"tool_calls"}],
    "usage":{"prompt_tokens":82,"completion_tokens":17,"total_tokens":99}}
    """#.compact

  static let error = #"""
    {"error":{"message":"Rate limit reached for gpt-4o-mini","type":"requests","param":null,"code":"rate_limit_exceeded"}}
    """#

  private static func chunk(_ delta: String, _ finish: String = "null") -> String {
    #"data: {"id":"chatcmpl-3","object":"chat.completion.chunk","created":1694268190,"model":"gpt-4o-mini","#
      + #""choices":[{"index":0,"delta":\#(delta),"logprobs":null,"finish_reason":\#(finish)}],"usage":null}"# + "\n\n"
  }

  private static let usage =
    #"data: {"id":"chatcmpl-3","object":"chat.completion.chunk","created":1694268190,"model":"gpt-4o-mini","choices":[],"#
    + #""usage":{"prompt_tokens":9,"completion_tokens":5,"total_tokens":14,"prompt_tokens_details":{"cached_tokens":2}}}"#
    + "\n\n"

  static let stream =
    chunk(#"{"role":"assistant","content":"","refusal":null}"#) + chunk(#"{"content":"Hel"}"#) + ": keep-alive\n\n"
    + chunk(#"{"content":"lo 😀"}"#) + chunk("{}", #""stop""#) + usage + "data: [DONE]\n\n"

  static let streamWithTools =
    chunk(#"{"role":"assistant","content":"Let me see."}"#)
    + chunk(
      #"{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"get_weather","arguments":""}}]}"#)
    + chunk(#"{"tool_calls":[{"index":0,"function":{"arguments":"{\"city\":"}}]}"#)
    + chunk(#"{"tool_calls":[{"index":0,"function":{"arguments":"\"Paris\"}"}}]}"#)
    + chunk(#"{"tool_calls":[{"index":1,"id":"call_2","type":"function","function":{"name":"now","arguments":"{}"}}]}"#)
    + chunk("{}", #""tool_calls""#) + usage + "data: [DONE]\n\n"

  static let streamWithError =
    chunk(#"{"role":"assistant","content":"Hel"}"#)
    + #"data: {"error":{"message":"The server had an error","type":"server_error","param":null,"code":null}}"# + "\n\n"
}
