"""Clients of three dialects use a tool with a model that signs its calls, as Gemini does from version 3 on.

`signatures.py GATEWAY-PORT PROVIDER-PORT` is the provider too: it refuses a history whose calls come back unsigned. Ends
with 0 when every client came to the answer.
"""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import anthropic
from openai import OpenAI

GATEWAY = f"http://127.0.0.1:{sys.argv[1]}"
SIGNED, EXCUSED = "c2lnbmVk", "skip_thought_signature_validator"
MODEL = "signing"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
# The signature of each history that came.
seen = []


class Provider(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        turns = [[part for part in turn["parts"] if "functionCall" in part] for turn in asked["contents"]]
        signatures = [calls[0].get("thoughtSignature") for calls in turns if calls]
        seen.extend(signatures)
        if not all(signatures):
            why = "Function call is missing a thought_signature in functionCall parts."
            return self.answer(400, {"error": {"code": 400, "message": why, "status": "INVALID_ARGUMENT"}})
        call = {"functionCall": {"name": "weather", "args": {"city": "Paris"}}, "thoughtSignature": SIGNED}
        parts = [{"text": "18 C"}] if signatures else [call]
        candidate = {"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}
        usage = {"promptTokenCount": 3, "candidatesTokenCount": 2}
        self.answer(200, {"responseId": "r", "candidates": [candidate], "usageMetadata": usage})

    def answer(self, status, value):
        body = json.dumps(value).encode()
        is_stream = "stream" in self.path and status == 200
        if is_stream:
            body = b"data: " + body + b"\n\n"
        self.send_response(status)
        self.send_header("Content-Type", "text/event-stream" if is_stream else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def chat(client, streams):
    tools = [{"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}]
    messages = [{"role": "user", "content": "How warm is Paris?"}]
    if streams:
        with client.chat.completions.stream(model=MODEL, messages=messages, tools=tools) as stream:
            said = stream.get_final_completion().choices[0].message
    else:
        said = client.chat.completions.create(model=MODEL, messages=messages, tools=tools).choices[0].message
    messages += [said, {"role": "tool", "tool_call_id": said.tool_calls[0].id, "content": "18"}]
    return client.chat.completions.create(model=MODEL, messages=messages, tools=tools).choices[0].message.content


def responses(client):
    tools = [{"type": "function", "name": "weather", "parameters": SCHEMA}]
    turns = [{"role": "user", "content": "How warm is Paris?"}]
    said = client.responses.create(model=MODEL, input=turns, tools=tools, store=False).output
    turns += [item.model_dump(exclude_none=True) for item in said]
    turns.append({"type": "function_call_output", "call_id": said[-1].call_id, "output": "18"})
    return client.responses.create(model=MODEL, input=turns, tools=tools, store=False).output_text


def messages(client):
    tools = [{"name": "weather", "input_schema": SCHEMA}]
    turns = [{"role": "user", "content": "How warm is Paris?"}]
    said = client.messages.create(model=MODEL, max_tokens=50, messages=turns, tools=tools).content
    result = {"type": "tool_result", "tool_use_id": said[0].id, "content": "18"}
    turns += [{"role": "assistant", "content": said}, {"role": "user", "content": [result]}]
    return client.messages.create(model=MODEL, max_tokens=50, messages=turns, tools=tools).content[0].text


server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Provider)
threading.Thread(target=server.serve_forever, daemon=True).start()
openai = OpenAI(base_url=f"{GATEWAY}/v1", api_key="none", max_retries=0)
claude = anthropic.Anthropic(base_url=GATEWAY, api_key="none", max_retries=0)
for ask, signature in [
    (lambda: chat(openai, streams=False), SIGNED), (lambda: chat(openai, streams=True), SIGNED),
    (lambda: responses(openai), EXCUSED), (lambda: messages(claude), EXCUSED),
]:
    seen.clear()
    assert ask() == "18 C"
    assert seen == [signature], seen
