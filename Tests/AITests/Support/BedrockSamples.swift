/// Streams of Bedrock's ConverseStream, in Base64; `botocore` reads the same octets. After
/// https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html.
enum BedrockSamples {
  /// Text in two pieces, a tool call, and the usage.
  static let stream = bytes(
    """
    AAAAdwAAAFKrtdNuCzpldmVudC10eXBlBwAMbWVzc2FnZVN0YXJ0DTpjb250ZW50LXR5cGUHABBhcHBsaWNhdGlvbi9qc29uDTptZXNzYWdl
    LXR5cGUHAAVldmVudHsicm9sZSI6ICJhc3Npc3RhbnQifVvg0vUAAAClAAAAVyjqC9gLOmV2ZW50LXR5cGUHABFjb250ZW50QmxvY2tEZWx0
    YQ06Y29udGVudC10eXBlBwAQYXBwbGljYXRpb24vanNvbg06bWVzc2FnZS10eXBlBwAFZXZlbnR7ImNvbnRlbnRCbG9ja0luZGV4IjogMCwg
    ImRlbHRhIjogeyJ0ZXh0IjogIkhlbCJ9LCAicCI6ICJhYmMifdYIQcIAAACyAAAAV/oqQEoLOmV2ZW50LXR5cGUHABFjb250ZW50QmxvY2tE
    ZWx0YQ06Y29udGVudC10eXBlBwAQYXBwbGljYXRpb24vanNvbg06bWVzc2FnZS10eXBlBwAFZXZlbnR7ImNvbnRlbnRCbG9ja0luZGV4Ijog
    MCwgImRlbHRhIjogeyJ0ZXh0IjogImxvIFx1ZDgzZFx1ZGUwMCJ9LCAicCI6ICJhYmNkIn1r66PeAAAAfgAAAFahyHUGCzpldmVudC10eXBl
    BwAQY29udGVudEJsb2NrU3RvcA06Y29udGVudC10eXBlBwAQYXBwbGljYXRpb24vanNvbg06bWVzc2FnZS10eXBlBwAFZXZlbnR7ImNvbnRl
    bnRCbG9ja0luZGV4IjogMH0LZDA0AAAAyAAAAFdJSLgkCzpldmVudC10eXBlBwARY29udGVudEJsb2NrU3RhcnQNOmNvbnRlbnQtdHlwZQcA
    EGFwcGxpY2F0aW9uL2pzb24NOm1lc3NhZ2UtdHlwZQcABWV2ZW50eyJjb250ZW50QmxvY2tJbmRleCI6IDEsICJzdGFydCI6IHsidG9vbFVz
    ZSI6IHsidG9vbFVzZUlkIjogInRvb2x1c2VfMSIsICJuYW1lIjogImdldF93ZWF0aGVyIn19fR4fzAkAAACuAAAAV186OskLOmV2ZW50LXR5
    cGUHABFjb250ZW50QmxvY2tEZWx0YQ06Y29udGVudC10eXBlBwAQYXBwbGljYXRpb24vanNvbg06bWVzc2FnZS10eXBlBwAFZXZlbnR7ImNv
    bnRlbnRCbG9ja0luZGV4IjogMSwgImRlbHRhIjogeyJ0b29sVXNlIjogeyJpbnB1dCI6ICJ7XCJjaXR5XCI6In19fSoHzCIAAACuAAAAV186
    OskLOmV2ZW50LXR5cGUHABFjb250ZW50QmxvY2tEZWx0YQ06Y29udGVudC10eXBlBwAQYXBwbGljYXRpb24vanNvbg06bWVzc2FnZS10eXBl
    BwAFZXZlbnR7ImNvbnRlbnRCbG9ja0luZGV4IjogMSwgImRlbHRhIjogeyJ0b29sVXNlIjogeyJpbnB1dCI6ICJcIlBhcmlzXCJ9In19fatz
    jwwAAAB+AAAAVqHIdQYLOmV2ZW50LXR5cGUHABBjb250ZW50QmxvY2tTdG9wDTpjb250ZW50LXR5cGUHABBhcHBsaWNhdGlvbi9qc29uDTpt
    ZXNzYWdlLXR5cGUHAAVldmVudHsiY29udGVudEJsb2NrSW5kZXgiOiAxfRJ/AXUAAAB7AAAAUfdMb9ULOmV2ZW50LXR5cGUHAAttZXNzYWdl
    U3RvcA06Y29udGVudC10eXBlBwAQYXBwbGljYXRpb24vanNvbg06bWVzc2FnZS10eXBlBwAFZXZlbnR7InN0b3BSZWFzb24iOiAidG9vbF91
    c2UifSV6YjYAAADaAAAATjcD1AYLOmV2ZW50LXR5cGUHAAhtZXRhZGF0YQ06Y29udGVudC10eXBlBwAQYXBwbGljYXRpb24vanNvbg06bWVz
    c2FnZS10eXBlBwAFZXZlbnR7InVzYWdlIjogeyJpbnB1dFRva2VucyI6IDEyLCAib3V0cHV0VG9rZW5zIjogNSwgInRvdGFsVG9rZW5zIjog
    MjMsICJjYWNoZVJlYWRJbnB1dFRva2VucyI6IDZ9LCAibWV0cmljcyI6IHsibGF0ZW5jeU1zIjogOX19O07ERw==
    """)

  /// `throttlingException`, as an event of its own.
  static let exception = bytes(
    """
    AAAAiQAAAGHjYVxEDzpleGNlcHRpb24tdHlwZQcAE3Rocm90dGxpbmdFeGNlcHRpb24NOmNvbnRlbnQtdHlwZQcAEGFwcGxpY2F0aW9uL2pz
    b24NOm1lc3NhZ2UtdHlwZQcACWV4Y2VwdGlvbnsibWVzc2FnZSI6ICJTbG93IGRvd24ifSdwKfI=
    """)

  static let answer =
    #"{"output":{"message":{"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"Hm.","signature":"c2ln"}}},{"text":"Hello"},{"toolUse":{"toolUseId":"tooluse_1","name":"get_weather","input":{"city": "Paris"}}}]}},"stopReason":"tool_use","usage":{"inputTokens":12,"outputTokens":5,"totalTokens":24,"cacheReadInputTokens":6,"cacheWriteInputTokens":1},"metrics":{"latencyMs":9}}"#

  private static func bytes(_ base64: String) -> [UInt8] {
    let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var bytes: [UInt8] = []
    var word: UInt32 = 0
    var bits = 0
    for digit in base64.utf8 {
      guard let value = digits.firstIndex(of: digit) else { continue }
      word = word << 6 | UInt32(value)
      bits += 6
      if bits >= 8 {
        bits -= 8
        bytes.append(UInt8(truncatingIfNeeded: word >> UInt32(bits)))
      }
    }
    return bytes
  }
}
