import AI

/// Embeddings as the providers' own references show them; vectors are shortened.
enum EmbeddingSamples {
  /// https://platform.openai.com/docs/api-reference/embeddings/create
  static let openai = #"{"input":"The food was delicious","model":"text-embedding-ada-002","encoding_format":"float"}"#
  static let openaiAnswer =
    #"{"object":"list","data":[{"object":"embedding","embedding":[0.0023064255,-0.009327292,-2.884e-3],"index":0}],"model":"text-embedding-ada-002","usage":{"prompt_tokens":8,"total_tokens":8}}"#

  /// https://ai.google.dev/api/embeddings#method:-models.embedcontent
  static let gemini =
    #"{"model":"models/gemini-embedding-001","content":{"parts":[{"text":"What is the meaning of life?"}]}}"#
  static let geminiAnswer = #"{"embedding":{"values":[-0.022374554,-0.004560777]}}"#
  /// https://ai.google.dev/api/embeddings#method:-models.batchembedcontents
  static let geminiBatch =
    #"{"requests":[{"model":"models/gemini-embedding-001","content":{"parts":[{"text":"What is the meaning of life?"}]}},{"model":"models/gemini-embedding-001","content":{"parts":[{"text":"How much wood would a woodchuck chuck?"}]}}]}"#
  static let geminiBatchAnswer =
    #"{"embeddings":[{"values":[-0.022374554,-0.004560777]},{"values":[-0.007975887,0.02141119]}],"usageMetadata":{"promptTokenCount":15,"promptTokenDetails":[{"modality":"TEXT","tokenCount":15}]}}"#

  /// https://docs.cohere.com/reference/embed
  static let cohereAnswer =
    #"{"id":"da6e531f-54c5-4a73-bf92-f60566d8d753","embeddings":{"float":[[0.016296387,-0.008354187],[0.04663086,-0.023239136]]},"texts":["hello","goodbye"],"meta":{"api_version":{"version":"2","is_experimental":true},"billed_units":{"input_tokens":2}}}"#
  static let cohereError = #"{"id":"x","message":"invalid api token"}"#

  /// https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html
  static let titanAnswer =
    #"{"embedding":[-0.09,0.04],"inputTextTokenCount":7,"embeddingsByType":{"float":[-0.09,0.04]}}"#

  /// https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed-v3.html
  static let bedrockCohereAnswer =
    #"{"embeddings":[[0.25,-0.5],[1,2]],"id":"1","response_type":"embeddings_floats","texts":["a","b"]}"#
}
