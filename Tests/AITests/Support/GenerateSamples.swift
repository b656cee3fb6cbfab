/// Messages of Gemini's dialect, after https://ai.google.dev/api/generate-content,
/// https://ai.google.dev/gemini-api/docs/function-calling and https://ai.google.dev/gemini-api/docs/structured-output.
enum GenerateSamples {
  static let text = #"""
    {"systemInstruction":{"parts":[{"text":"Be brief."}]},"contents":[{"role":"user","parts":[{"text":"Hello"}]},
    {"role":"model","parts":[{"text":"Hi!"}]},{"role":"user","parts":[{"text":"Again"}]}],
    "generationConfig":{"temperature":1.0,"maxOutputTokens":800,"stopSequences":["END"]}}
    """#.compact

  static let tools = #"""
    {"contents":[{"role":"user","parts":[{"text":"Weather?"}]},
    {"role":"model","parts":[{"functionCall":{"id":"f1","name":"get_weather","args":{"city":"Paris"}}}]},
    {"role":"user","parts":[{"functionResponse":{"id":"f1","name":"get_weather","response":{"output":"18 C"}}}]}],
    "tools":[{"functionDeclarations":[{"name":"get_weather","description":"Current weather",
    "parameters":{"type":"OBJECT","properties":{"city":{"type":"STRING","description":"TYPE"}}}}]}],
    "tool_config":{"function_calling_config":{"mode":"ANY"}}}
    """#.compact

  static let image = #"""
    {"contents":[{"parts":[{"inline_data":{"mime_type":"image/jpeg","data":"/9j/4AAQ"}},{"text":"What is it?"}]}]}
    """#

  static let structured = #"""
    {"contents":[{"parts":[{"text":"Ann is 5"}]}],"generationConfig":{"responseMimeType":"application/json",
    "responseSchema":{"type":"OBJECT","properties":{"age":{"type":"INTEGER"}}}}}
    """#.compact

  static let answer = #"""
    {"candidates":[{"content":{"parts":[{"text":"Hm.","thought":true},{"text":"Hello 😀 there"}],"role":"model"},
    "finishReason":"STOP","index":0,"avgLogprobs":-0.1}],"usageMetadata":{"promptTokenCount":19,"candidatesTokenCount":4,
    "thoughtsTokenCount":2,"totalTokenCount":25,"cachedContentTokenCount":6,"promptTokensDetails":[{"modality":"TEXT","tokenCount":19}]},
    "modelVersion":"gemini-2.5-flash","responseId":"r1"}
    """#.compact

  static let answerWithTools = #"""
    {"candidates":[{"content":{"parts":[{"functionCall":{"name":"get_weather","args":{"city":"Paris"}}}],"role":"model"},
    "finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":4,"totalTokenCount":13},
    "modelVersion":"gemini-2.5-flash","responseId":"r2"}
    """#.compact

  static let error = #"{"error":{"code":429,"message":"Quota exceeded","status":"RESOURCE_EXHAUSTED"}}"#

  private static func piece(_ part: String, _ more: String = "") -> String {
    #"data: {"candidates":[{"content":{"parts":[\#(part)],"role":"model"}\#(more),"index":0}],"#
      + #""usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":15,"totalTokenCount":24},"#
      + #""modelVersion":"gemini-2.5-flash","responseId":"r3"}"# + "\r\n\r\n"
  }

  static let stream =
    (piece(#"{"text":"Hel"}"#) + piece(#"{"text":"lo 😀"}"#, #","finishReason":"STOP""#)).unixLines

  static let streamWithTools =
    (piece(#"{"text":"Let me see."}"#)
    + piece(#"{"functionCall":{"name":"get_weather","args":{"city":"Paris"}}}"#, #","finishReason":"STOP""#)).unixLines

  static let streamWithError =
    piece(#"{"text":"Hel"}"#).unixLines
    + #"data: {"error":{"code":503,"message":"Overloaded","status":"UNAVAILABLE"}}"# + "\n\n"
}
