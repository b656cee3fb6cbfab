/// Requests of OpenAI's Responses, after https://platform.openai.com/docs/api-reference/responses/create and
/// https://platform.openai.com/docs/guides/function-calling.
enum ResponsesSamples {
  static let text = #"""
    {"model":"fast","instructions":"Be brief.","input":"Hello","temperature":0.7,"max_output_tokens":50,"store":false}
    """#

  static let tools = #"""
    {"model":"fast","input":[{"role":"user","content":"Weather in Paris and Rome?"},
    {"type":"function_call","id":"fc_1","call_id":"call_1","name":"get_weather","arguments":"{\"city\":\"Paris\"}","status":"completed"},
    {"type":"function_call","id":"fc_2","call_id":"call_2","name":"get_weather","arguments":"{\"city\":\"Rome\"}","status":"completed"},
    {"type":"function_call_output","call_id":"call_1","output":"18 C"},
    {"type":"function_call_output","call_id":"call_2","output":"24 C"}],
    "tools":[{"type":"function","name":"get_weather","description":"Now","parameters":{"type":"object"},"strict":true}],
    "tool_choice":"auto"}
    """#.compact

  static let image = #"""
    {"model":"fast","input":[{"role":"user","content":[{"type":"input_text","text":"What is it?"},
    {"type":"input_image","image_url":"data:image/png;base64,iVBORw0KGgo=","detail":"auto"}]}]}
    """#.compact

  static let structured = #"""
    {"model":"fast","input":"Ann is 5","text":{"format":{"type":"json_schema","name":"person","schema":{"type":"object"},"strict":true}}}
    """#
}
