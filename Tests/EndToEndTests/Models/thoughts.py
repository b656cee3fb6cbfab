"""Clients of three dialects use a tool with models that think, and that refuse a history without their thoughts.

`thoughts.py GATEWAY-PORT PROVIDER-PORT` is the providers too: Anthropic and Bedrock's likes want what they signed, DeepSeek,
OpenRouter and Mistral what they wrote, each in its own place. Ends with 0 when every client came to every answer.
"""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import anthropic
from openai import OpenAI

GATEWAY = f"http://127.0.0.1:{sys.argv[1]}"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
PLAN, PROOF, SECRET = "I look up Paris.", "cHJvb2Y=", "c2VjcmV0"
SIGNED = [
    {"type": "thinking", "thinking": PLAN, "signature": PROOF}, {"type": "redacted_thinking", "data": SECRET},
]
DETAILS = [
    {"type": "reasoning.text", "text": PLAN, "signature": PROOF, "format": "anthropic-claude-v1", "index": 0},
    {"type": "reasoning.encrypted", "data": SECRET, "format": "anthropic-claude-v1", "index": 1},
]
PIECE = {"type": "thinking", "thinking": [{"type": "text", "text": PLAN}]}
# What Mistral's reference names; it refuses all else.
MISTRALS = {
    "model", "messages", "temperature", "top_p", "max_tokens", "stream", "stop", "random_seed", "response_format", "tools",
    "tool_choice", "presence_penalty", "frequency_penalty", "n", "parallel_tool_calls", "reasoning_effort",
}


def claude_turn(asked):
    said = next((turn["content"] for turn in asked["messages"] if turn["role"] == "assistant"), None)
    if said is None:
        call = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Paris"}}
        return SIGNED + [call], "tool_use", None
    why = None if said[:2] == SIGNED else f"Expected `thinking`, but found {said}"
    return [{"type": "text", "text": "18 C"}], "end_turn", why


def claude(asked):
    content, reason, why = claude_turn(asked)
    if why:
        return 400, [(None, {"type": "error", "error": {"type": "invalid_request_error", "message": why}})]
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "stop_sequence": None}
    usage = {"input_tokens": 3, "output_tokens": 2}
    if not asked.get("stream"):
        return 200, [(None, head | {"content": content, "stop_reason": reason, "usage": usage})]
    events = [{"type": "message_start", "message": head | {"content": [], "stop_reason": None, "usage": usage}}]
    for index, block in enumerate(content):
        empty, deltas = dict(block), []
        if block["type"] == "thinking":
            empty |= {"thinking": "", "signature": ""}
            half = len(PLAN) // 2
            deltas = [{"type": "thinking_delta", "thinking": text} for text in (PLAN[:half], PLAN[half:])]
            deltas.append({"type": "signature_delta", "signature": PROOF})
        elif block["type"] == "text":
            empty["text"] = ""
            deltas = [{"type": "text_delta", "text": block["text"]}]
        elif block["type"] == "tool_use":
            empty["input"] = {}
            deltas = [{"type": "input_json_delta", "partial_json": json.dumps(block["input"])}]
        events.append({"type": "content_block_start", "index": index, "content_block": empty})
        events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        events.append({"type": "content_block_stop", "index": index})
    delta = {"stop_reason": reason, "stop_sequence": None}
    events += [{"type": "message_delta", "delta": delta, "usage": usage}, {"type": "message_stop"}]
    return 200, [(event["type"], event) for event in events]


def thought(place):
    """The thought of a message as this server says it: (whole, as pieces of a stream, whether one is the thought)."""
    if place == "reasoning_details":
        pieces = [
            {"reasoning": PLAN[:5], "reasoning_details": [DETAILS[0] | {"text": PLAN[:5], "signature": None}]},
            {"reasoning": PLAN[5:], "reasoning_details": [DETAILS[0] | {"text": PLAN[5:]}]},
            {"reasoning_details": [DETAILS[1]]},
        ]
        return {"reasoning": PLAN, "reasoning_details": DETAILS}, pieces, lambda m: joined(m) == DETAILS
    if place == "thinking":
        return {"content": [PIECE]}, [{"content": [PIECE]}], lambda m: m.get("content") == [PIECE]
    return {place: PLAN}, [{place: PLAN[:5]}, {place: PLAN[5:]}], lambda m: m.get(place) == PLAN


def joined(message):
    """The details of a message, pieces of one put together."""
    found = {}
    for detail in message.get("reasoning_details", []):
        before = found.get(detail["index"], {"text": ""} if "text" in detail else {})
        text = {"text": before["text"] + detail["text"]} if "text" in detail else {}
        found[detail["index"]] = before | detail | text
    return list(found.values())


def compatible(asked, place):
    whole, pieces, is_thought = thought(place)
    said = next((message for message in asked["messages"] if message["role"] == "assistant"), None)
    why = None
    if place == "thinking" and set(asked) - MISTRALS:
        why = f"extra_forbidden: {set(asked) - MISTRALS}"
    elif said and not is_thought(said):
        why = f"The {place} in the thinking mode must be passed back to the API, but it was {said}"
    if why:
        return 400, [(None, {"error": {"message": why, "type": "invalid_request_error", "code": None}})]
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    head = {"id": "c-1", "model": "m", "created": 1, "object": "chat.completion"}
    call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Paris"}'}}
    finish = "stop" if said else "tool_calls"
    if not asked.get("stream"):
        message = {"content": "18 C"} if said else {"content": None, "tool_calls": [call]} | whole
        choice = {"index": 0, "message": {"role": "assistant"} | message, "finish_reason": finish}
        return 200, [(None, head | {"choices": [choice], "usage": usage})]
    deltas = [{"content": "18 C"}] if said else pieces + [{"tool_calls": [{"index": 0} | call]}]
    choices = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    choices.append({"index": 0, "delta": {}, "finish_reason": finish})
    chunks = [head | {"object": "chat.completion.chunk", "choices": [choice]} for choice in choices]
    # Mistral says it with the last words, unasked; others alone, when they are asked.
    if place == "thinking":
        chunks[-1]["usage"] = usage
    elif asked.get("stream_options", {}).get("include_usage"):
        chunks.append(head | {"choices": [], "usage": usage})
    return 200, [(None, chunk) for chunk in chunks] + [(None, None)]


PLACES = {"deepseek": "reasoning_content", "groq": "reasoning", "openrouter": "reasoning_details", "mistral": "thinking"}


class Provider(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        who = self.path.split("/")[1]
        status, events = claude(asked) if who == "claude" else compatible(asked, PLACES[who])
        is_stream = asked.get("stream") and status == 200
        body = ""
        for name, value in events:
            text = "[DONE]" if value is None else json.dumps(value)
            body += (f"event: {name}\n" if name else "") + f"data: {text}\n\n" if is_stream else text
        self.send_response(status)
        self.send_header("Content-Type", "text/event-stream" if is_stream else "application/json")
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())


def assemble(chunks):
    """The message as a client puts it together that knows no more than that lists grow and texts go on."""
    message, calls, usage = {"role": "assistant"}, {}, None
    for chunk in chunks:
        usage = chunk.usage or usage
        for choice in chunk.choices:
            for name, value in choice.delta.model_dump(exclude_none=True).items():
                if name == "tool_calls":
                    for piece in value:
                        call = calls.setdefault(piece["index"], {"id": "", "type": "function", "function": {}})
                        call["id"] = piece.get("id") or call["id"]
                        for key, text in piece["function"].items():
                            call["function"][key] = call["function"].get(key, "") + text
                elif isinstance(value, list):
                    message[name] = (message.get(name) or []) + value
                elif name != "role":
                    message[name] = (message.get(name) or "") + value
    if calls:
        message["tool_calls"] = list(calls.values())
    return message, usage


def chat(client, model, streams):
    tools = [{"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}]
    messages = [{"role": "user", "content": "How warm is Paris?"}]
    more = {"max_completion_tokens": 500, "seed": 1} if model == "mistral" else {}

    def say():
        if not streams:
            return client.chat.completions.create(model=model, messages=messages, tools=tools, **more).choices[0].message
        options = {"include_usage": True}
        chunks = client.chat.completions.create(
            model=model, messages=messages, tools=tools, stream=True, stream_options=options, **more)
        message, usage = assemble(chunks)
        assert usage and usage.completion_tokens == 2, (model, usage)
        return message

    said = say()
    said = said if isinstance(said, dict) else said.model_dump(exclude_none=True, warnings=False)
    messages += [said, {"role": "tool", "tool_call_id": said["tool_calls"][0]["id"], "content": "18"}]
    last = say()
    return last["content"] if isinstance(last, dict) else last.content


def responses(client, model, streams):
    tools = [{"type": "function", "name": "weather", "parameters": SCHEMA}]
    turns = [{"role": "user", "content": "How warm is Paris?"}]
    more = {"include": ["reasoning.encrypted_content"], "reasoning": {"summary": "auto"}, "store": False}

    def say():
        if not streams:
            return client.responses.create(model=model, input=turns, tools=tools, **more)
        with client.responses.stream(model=model, input=turns, tools=tools, **more) as stream:
            kinds = [event.type for event in stream]
            answer = stream.get_final_response()
        if any(item.type == "reasoning" and item.summary for item in answer.output):
            assert "response.reasoning_summary_text.delta" in kinds, kinds
        return answer

    said = say().output
    assert said[0].summary[0].text == PLAN, said
    turns += [item.model_dump(exclude_none=True) for item in said]
    turns.append({"type": "function_call_output", "call_id": said[-1].call_id, "output": "18"})
    return say().output_text


def messages(client, model, streams):
    tools = [{"name": "weather", "input_schema": SCHEMA}]
    turns = [{"role": "user", "content": "How warm is Paris?"}]

    def say():
        if not streams:
            return client.messages.create(model=model, max_tokens=50, messages=turns, tools=tools).content
        with client.messages.stream(model=model, max_tokens=50, messages=turns, tools=tools) as stream:
            return stream.get_final_message().content

    said = say()
    assert said[0].thinking == PLAN, said
    result = {"type": "tool_result", "tool_use_id": said[-1].id, "content": "18"}
    turns += [{"role": "assistant", "content": said}, {"role": "user", "content": [result]}]
    return say()[0].text


server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Provider)
threading.Thread(target=server.serve_forever, daemon=True).start()
openai = OpenAI(base_url=f"{GATEWAY}/v1", api_key="none", max_retries=0)
anthropics = anthropic.Anthropic(base_url=GATEWAY, api_key="none", max_retries=0)
failed = []
for model in ["claude", *PLACES]:
    for ask, client in [(chat, openai), (responses, openai), (messages, anthropics)]:
        for streams in [False, True]:
            try:
                assert ask(client, model, streams) == "18 C"
            except Exception as error:
                failed.append(f"{model} {ask.__name__} {'streams' if streams else 'whole'}: {error!r}"[:600])
print("\n".join(failed))
sys.exit(1 if failed else 0)
