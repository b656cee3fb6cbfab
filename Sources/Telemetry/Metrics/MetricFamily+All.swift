extension MetricFamily {
  /// Every family of the gateway, in the order of the page; `docs/METRICS.md` shows it.
  public static let all: [MetricFamily] = [
    serverRequestDuration, serverActiveRequests, rpcServerDuration, tunnels, requestBodyBytes, responseBodyBytes,
    faults, shedRequests, overloadPressure, fallbacks, mirroredRequests, overhead, connections, acceptedConnections,
    refusedConnections, tlsHandshakes,
    tlsCertificateExpiry,
    http2Refused,
    clientRequestDuration, upstreamConnections, upstreamConnects, queuedRequests, queueDuration,
    retries, retriesDenied, hedges, outlierEjections, breakerState, breakerOpened, targetHealthy, storeCalls,
    modelTokens, modelDuration, modelFirstChunk, modelChunk, modelCost, modelEstimates,
    promptCalls, promptTokens, promptCost, mcpCalls,
    promptCacheBytes, promptCacheEntries, promptCacheLookups, promptCacheEvictions,
    callLogProduced, callLogWritten, callLogDropped, callLogBytes, callLogErrors, callLogSegments,
    reloads, upgrades, reloadSucceeded, reloadTime, configurationFileNewer,
    buildInfo, workers,
    cpuSeconds, cpuUserSeconds, cpuSystemSeconds, residentBytes, virtualBytes, openDescriptors, maximumDescriptors,
    startTime, threads,
  ]

  // Requests of clients.

  public static let serverRequestDuration = MetricFamily(
    "http_server_request_duration_seconds", .histogram(.requests), unit: .seconds,
    labels: [
      "http_request_method", "http_response_status_code", "http_route", "url_scheme", "network_protocol_version",
      "error_type",
    ],
    "From a request's first byte to its answer's last. An unknown method is _OTHER; without a route, no http_route.")
  public static let serverActiveRequests = MetricFamily(
    "http_server_active_requests", .gauge(), labels: ["http_request_method", "url_scheme"], "Requests in flight.")
  public static let rpcServerDuration = MetricFamily(
    "rpc_server_duration_seconds", .histogram(.requests), unit: .seconds,
    labels: ["rpc_system", "rpc_grpc_status_code", "http_route"],
    "A gRPC call, from its request's first byte to its answer's last; a code that is not defined is 2.")
  public static let tunnels = MetricFamily(
    "sluice_tunnels", .gauge(), labels: ["http_route", "protocol"], "Open tunnels; protocol is websocket.")
  public static let requestBodyBytes = MetricFamily(
    "sluice_request_body_bytes", .counter, unit: .bytes, labels: ["http_route"], "Bytes of request bodies received.")
  public static let responseBodyBytes = MetricFamily(
    "sluice_response_body_bytes", .counter, unit: .bytes, labels: ["http_route"],
    "Bytes of response bodies that were sent.")
  public static let faults = MetricFamily(
    "sluice_faults", .counter, labels: ["http_route", "origin", "reason"],
    "Requests that the gateway answered itself; origin is client, policy, upstream or gateway.")
  public static let shedRequests = MetricFamily(
    "sluice_shed_requests", .counter, labels: ["priority"],
    "Requests refused because the gateway could not keep up, by the priority of their route.")
  public static let overloadPressure = MetricFamily(
    "sluice_overload_pressure", .gauge(.maximum),
    "What is refused, of the worst worker: 0 nothing, 100 all of background, 200 all of normal too, 300 everything.")
  public static let fallbacks = MetricFamily(
    "sluice_fallbacks", .counter, labels: ["http_route", "reason"],
    "Calls that went the fallback's way, by the fault that they would have ended in.")
  public static let mirroredRequests = MetricFamily(
    "sluice_mirrored_requests", .counter, labels: ["http_route", "upstream", "outcome"],
    "Copies of requests; outcome is answered, failed, or dropped_busy (too many under way), dropped_body (too long) or "
      + "dropped_incomplete.")
  public static let overhead = MetricFamily(
    "sluice_gateway_overhead_seconds", .histogram(.overhead), unit: .seconds,
    "The part of a request's duration that the gateway itself spent, waiting for nobody.")

  // Calls of models.

  private static let modelLabels: [StaticString] = ["gen_ai_provider_name", "gen_ai_request_model"]
  /// What the conventions require beside them: chat, generate_content, embeddings, and what is passed by its path's name.
  private static let operationLabels = ["gen_ai_operation_name"] + modelLabels
  public static let modelTokens = MetricFamily(
    "gen_ai_client_token_usage", .histogram(.tokens), labels: operationLabels + ["gen_ai_token_type"],
    "Tokens of each call as its provider counted them, or estimated where it did not; the type is input or output.")
  public static let modelDuration = MetricFamily(
    "gen_ai_client_operation_duration_seconds", .histogram(.requests), unit: .seconds,
    labels: operationLabels + ["error_type"],
    "A call of a model, from its request's first byte to its answer's last.")
  public static let modelFirstChunk = MetricFamily(
    "gen_ai_client_operation_time_to_first_chunk_seconds", .histogram(.requests), unit: .seconds,
    labels: operationLabels,
    "From sending the request to the first piece of a streamed answer.")
  public static let modelChunk = MetricFamily(
    "gen_ai_client_operation_time_per_output_chunk_seconds", .histogram(.requests), unit: .seconds,
    labels: operationLabels,
    "From one piece of a streamed answer to the next; those that came together came at once.")
  public static let modelCost = MetricFamily(
    "sluice_ai_cost_nanousd", .counter, labels: modelLabels,
    "What calls cost, in billionths of a USD; those of models without a price are not in it.")

  public static let modelEstimates = MetricFamily(
    "sluice_ai_estimated_calls", .counter, labels: modelLabels,
    "Calls whose tokens are an estimate, because the provider did not come to say them.")

  private static let promptLabels: [StaticString] = ["prompt", "version"]
  public static let promptCalls = MetricFamily(
    "sluice_prompt_calls", .counter, labels: promptLabels + ["outcome"],
    "Calls of prompts; outcome is answered, repaired (by a second answer), cached, invalid (neither answer was what the "
      + "prompt promises), rejected (the inputs were not what it takes) or failed.")
  public static let promptTokens = MetricFamily(
    "sluice_prompt_tokens", .counter, labels: promptLabels + ["gen_ai_token_type"],
    "Tokens of calls of prompts, those of repairs too; the type is input or output.")
  public static let promptCost = MetricFamily(
    "sluice_prompt_cost_nanousd", .counter, labels: promptLabels,
    "What calls of prompts cost, in billionths of a USD; those of models without a price are not in it.")

  public static let mcpCalls = MetricFamily(
    "sluice_mcp_calls", .counter, labels: ["server", "method", "name", "status"],
    "Calls of servers of the Model Context Protocol; name is the tool or prompt, and _OTHER where callers have named too "
      + "many.")

  public static let promptCacheBytes = MetricFamily(
    "sluice_prompt_cache_bytes", .gauge(), unit: .bytes, "Memory of the answers that prompts keep.")
  public static let promptCacheEntries = MetricFamily(
    "sluice_prompt_cache_entries", .gauge(), "Answers that prompts keep.")
  public static let promptCacheLookups = MetricFamily(
    "sluice_prompt_cache_lookups", .counter, labels: ["result"],
    "Calls of prompts that looked for a kept answer; result is hit or miss.")
  public static let promptCacheEvictions = MetricFamily(
    "sluice_prompt_cache_evictions", .counter, "Answers of prompts that had to go for others.")

  // Connections of clients.

  public static let connections = MetricFamily(
    "sluice_connections", .gauge(), labels: ["listener"], "Open connections of clients.")
  public static let acceptedConnections = MetricFamily(
    "sluice_connections_accepted", .counter, labels: ["listener"], "Connections accepted.")
  public static let refusedConnections = MetricFamily(
    "sluice_connections_refused", .counter, labels: ["listener", "reason"],
    "Waiting connections not taken: limit once for each time that limits.connections is reached, accept_failed for each "
      + "failure, such as no file descriptor left.")
  public static let tlsHandshakes = MetricFamily(
    "sluice_tls_handshakes", .counter, labels: ["listener", "outcome", "version", "resumed"],
    "Handshakes that ended; outcome is ok, timeout, evicted or what was wrong, version and resumed are those of ok.")
  public static let tlsCertificateExpiry = MetricFamily(
    "sluice_tls_certificate_expiry_timestamp_seconds", .gauge(.minimum), unit: .seconds, labels: ["listener", "name"],
    "When the first of a listener's certificates of a name expires, since 1970; name is their first host.")

  public static let http2Refused = MetricFamily(
    "sluice_http2_refused", .counter, labels: ["listener", "reason"],
    "What HTTP/2 clients were refused for: malformed (a stream was reset); resets, idle_frames, long_heads (too many), "
      + "unread (nothing read for body_timeout), unanswered (a PING), head_timeout (a head was not "
      + "ended) or protocol (the connection was closed).")

  // Upstreams.

  public static let clientRequestDuration = MetricFamily(
    "http_client_request_duration_seconds", .histogram(.requests), unit: .seconds,
    labels: ["upstream", "http_request_method", "http_response_status_code", "network_protocol_version", "error_type"],
    "One attempt at a target, from sending the request to the answer's last byte.")
  public static let upstreamConnections = MetricFamily(
    "sluice_upstream_connections", .gauge(), labels: ["upstream", "target", "state"],
    "Connections to targets, of which HTTP/2 has one for many calls; state is idle or active.")
  public static let upstreamConnects = MetricFamily(
    "sluice_upstream_connects", .counter, labels: ["upstream", "target", "outcome"],
    "Connections begun; outcome is ok, refused, timeout or error.")
  public static let queuedRequests = MetricFamily(
    "sluice_upstream_queued_requests", .gauge(), labels: ["upstream"], "Requests that wait for a connection.")
  public static let queueDuration = MetricFamily(
    "sluice_upstream_queue_duration_seconds", .histogram(.requests), unit: .seconds, labels: ["upstream"],
    "How long requests waited for a connection, those that had to.")
  public static let retries = MetricFamily(
    "sluice_upstream_retries", .counter, labels: ["upstream", "reason"],
    "Attempts after the first of a request, by what was wrong with the one before.")
  public static let retriesDenied = MetricFamily(
    "sluice_upstream_retries_denied", .counter, labels: ["upstream"], "Retries that the budget did not allow.")
  public static let hedges = MetricFamily(
    "sluice_upstream_hedges", .counter, labels: ["upstream", "outcome"],
    "Calls for which another target was asked too; outcome is won (the other answered first), lost or denied (by the "
      + "retry budget).")
  public static let outlierEjections = MetricFamily(
    "sluice_outlier_ejections", .counter, labels: ["upstream", "target"],
    "How often a target was left out for failures in a row.")
  public static let storeCalls = MetricFamily(
    "sluice_store_calls", .counter, labels: ["store", "outcome"],
    "Calls to a shared store; outcome is ok, away, timeout, full (too many wait) or refused (it answered with an error)."
  )
  public static let breakerState = MetricFamily(
    "sluice_circuit_breaker_state", .gauge(.maximum), labels: ["upstream", "target"],
    "0 closed, 1 half-open, 2 open; the worst of all workers.")
  public static let breakerOpened = MetricFamily(
    "sluice_circuit_breaker_opened", .counter, labels: ["upstream", "target"], "How often a breaker opened.")
  public static let targetHealthy = MetricFamily(
    "sluice_target_healthy", .gauge(.minimum), labels: ["upstream", "target"],
    "1 while a target gets requests, 0 while it is out; 0 as soon as one worker says so.")

  // The call log.

  public static let callLogProduced = MetricFamily(
    "sluice_call_log_lines_produced", .counter, "Lines: one for every request.")
  public static let callLogWritten = MetricFamily(
    "sluice_call_log_lines_written", .counter, "Lines that were written.")
  public static let callLogDropped = MetricFamily(
    "sluice_call_log_lines_dropped", .counter, "Lines lost because the disk was slow, full or gone.")
  public static let callLogBytes = MetricFamily(
    "sluice_call_log_bytes", .counter, unit: .bytes, "Bytes of lines that were written.")
  public static let callLogErrors = MetricFamily(
    "sluice_call_log_errors", .counter, "Chunks of lines that could not be written whole.")
  public static let callLogSegments = MetricFamily(
    "sluice_call_log_segments", .counter, labels: ["event"], "Segments that were rotated, compressed or removed.")

  // Configuration and build.

  public static let reloads = MetricFamily(
    "sluice_config_reloads", .counter, labels: ["outcome"], "Reloads; outcome is ok or failed.")
  public static let upgrades = MetricFamily(
    "sluice_upgrades", .counter, labels: ["outcome"],
    "Upgrades that this process was asked for and that failed, and 1 that was ok when one started it.")
  public static let reloadSucceeded = MetricFamily(
    "sluice_config_last_reload_succeeded", .gauge(.minimum), "1 when the last reload, or the start, went well.")
  public static let reloadTime = MetricFamily(
    "sluice_config_loaded_timestamp_seconds", .gauge(.maximum), unit: .seconds,
    "When the running configuration was loaded.")
  public static let configurationFileNewer = MetricFamily(
    "sluice_config_file_newer", .gauge(.maximum), "1 when the file on disk is newer than what runs.")
  public static let buildInfo = MetricFamily(
    "sluice_build_info", .gauge(.maximum), labels: ["version"], "Always 1; the version is in the label.")
  public static let workers = MetricFamily("sluice_workers", .gauge(.maximum), "Event loops.")

  // The process.

  public static let cpuSeconds = MetricFamily(
    "process_cpu_seconds", .counter, unit: .seconds, "CPU time, user and system.")
  public static let cpuUserSeconds = MetricFamily(
    "process_cpu_user_seconds", .counter, unit: .seconds, "CPU time in the gateway's own code.")
  public static let cpuSystemSeconds = MetricFamily(
    "process_cpu_system_seconds", .counter, unit: .seconds, "CPU time in the kernel.")
  public static let residentBytes = MetricFamily(
    "process_resident_memory_bytes", .gauge(.maximum), unit: .bytes, "Memory in use.")
  public static let virtualBytes = MetricFamily(
    "process_virtual_memory_bytes", .gauge(.maximum), unit: .bytes, "Address space in use.")
  public static let openDescriptors = MetricFamily("process_open_fds", .gauge(.maximum), "Open file descriptors.")
  public static let maximumDescriptors = MetricFamily(
    "process_max_fds", .gauge(.maximum), "File descriptors that the process may have.")
  public static let startTime = MetricFamily(
    "process_start_time_seconds", .gauge(.maximum), unit: .seconds, "When the process started, since 1970.")
  public static let threads = MetricFamily("process_threads", .gauge(.maximum), "Threads.")
}
