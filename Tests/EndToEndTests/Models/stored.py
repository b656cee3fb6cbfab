"""OpenAI's package speaks Responses to a provider that has them: what is stored there, and what its own tools do.

`stored.py GATEWAY-PORT PROVIDER-PORT` is the provider too, which keeps answers as OpenAI does and refuses ids that it does not
know. Ends with 0 when every call came to what the provider said.
"""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from openai import BadRequestError, OpenAI

ASKED, KEPT = [], {}
USAGE = {
    "input_tokens": 20, "input_tokens_details": {"cached_tokens": 5, "cache_write_tokens": 0}, "output_tokens": 7,
    "output_tokens_details": {"reasoning_tokens": 2}, "total_tokens": 27,
}
SEARCH = {"id": "ws_1", "type": "web_search_call", "status": "completed", "action": {"type": "search", "query": "q"}}
NOTE = {"type": "url_citation", "start_index": 0, "end_index": 2, "url": "https://example.com/a", "title": "A"}


def message(text, notes=()):
    part = {"type": "output_text", "text": text, "annotations": list(notes), "logprobs": []}
    return {"id": "msg_1", "type": "message", "status": "completed", "role": "assistant", "content": [part]}


def output(body):
    tools = [tool["type"] for tool in body.get("tools", [])]
    if "web_search" in tools:
        return [SEARCH, message("Found it", [NOTE])]
    if "custom" in tools:
        call = {"id": "ctc_1", "type": "custom_tool_call", "call_id": "call_1", "name": "patch", "input": "*** a"}
        return [{**call, "status": "completed"}]
    before = KEPT.get(body.get("previous_response_id"))
    return [message(f"After {before}" if before else "Hello")]


def response(body, status="completed"):
    name = f"resp_{len(KEPT) + 1}"
    whole = {
        "id": name, "object": "response", "created_at": 1741290958, "status": status, "error": None, "model": "gpt-5",
        "incomplete_details": None, "instructions": None, "metadata": body.get("metadata", {}), "output": output(body),
        "parallel_tool_calls": True, "temperature": 1.0, "tool_choice": "auto", "tools": body.get("tools", []),
        "top_p": 1.0, "usage": USAGE,
    }
    if body.get("store", True):
        KEPT[name] = whole["output"][-1].get("content", [{"text": "a call"}])[0]["text"]
    return whole


def events(whole):
    begun = {**whole, "status": "in_progress", "output": [], "usage": None}
    yield {"type": "response.created", "response": begun}
    for place, item in enumerate(whole["output"]):
        yield {"type": "response.output_item.added", "output_index": place, "item": {**item, "content": []}}
        if item["type"] == "message":
            at = {"item_id": item["id"], "output_index": place, "content_index": 0}
            part = item["content"][0]
            yield {"type": "response.content_part.added", **at, "part": {**part, "text": "", "annotations": []}}
            for word in part["text"].split(" "):
                yield {"type": "response.output_text.delta", **at, "delta": word, "logprobs": [], "obfuscation": "x"}
            for number, note in enumerate(part["annotations"]):
                more = {"annotation_index": number, "annotation": note}
                yield {"type": "response.output_text.annotation.added", **at, **more}
            yield {"type": "response.output_text.done", **at, "text": part["text"], "logprobs": []}
            yield {"type": "response.content_part.done", **at, "part": part}
        yield {"type": "response.output_item.done", "output_index": place, "item": item}
    yield {"type": "response.completed", "response": whole}


class Provider(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def give(self, status, kind, octets):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        ASKED.append((self.path, body))
        kind = "application/json"
        if self.path.endswith("/chat/completions"):
            choice = {"index": 0, "message": {"role": "assistant", "content": "Chat"}, "finish_reason": "stop"}
            return self.give(200, kind, json.dumps({"id": "c", "model": "m", "choices": [choice]}).encode())
        if body["model"] == "busy":
            return self.give(503, kind, b'{"error":{"message":"Busy","type":"server_error"}}')
        before = body.get("previous_response_id")
        if before is not None and before not in KEPT:
            error = {"message": "No such response", "type": "invalid_request_error", "param": "previous_response_id"}
            return self.give(400, kind, json.dumps({"error": error}).encode())
        whole = response(body)
        if not body.get("stream"):
            return self.give(200, kind, json.dumps(whole).encode())
        text = "".join(
            f"event: {event['type']}\ndata: {json.dumps({**event, 'sequence_number': number})}\n\n"
            for number, event in enumerate(events(whole))
        )
        self.give(200, "text/event-stream", text.encode())


def refused(client, **asked):
    try:
        client.responses.create(**asked)
    except BadRequestError as error:
        return error.param
    raise AssertionError("this was not refused")


def talk(client, model, path):
    say = client.responses.create
    first = say(model=model, input="Hi", metadata={"k": "v"}, tools=[{"type": "web_search"}])
    assert first.output_text == "Found it" and first.metadata == {"k": "v"}, first
    assert first.output[1].content[0].annotations[0].url == NOTE["url"], first
    assert (first.usage.input_tokens, first.usage.output_tokens) == (20, 7), first.usage
    again = say(model=model, input="And?", previous_response_id=first.id)
    assert again.output_text == "After Found it" and ASKED[-1][0] == path, (again, ASKED[-1])
    with client.responses.stream(model=model, input="Hi", tools=[{"type": "web_search"}]) as stream:
        kinds = [event.type for event in stream]
        last = stream.get_final_response()
    assert last.output_text == "Found it" and "response.output_text.annotation.added" in kinds, kinds
    custom = say(model=model, input="Hi", tools=[{"type": "custom", "name": "patch"}], store=False).output[0]
    assert (custom.type, custom.input) == ("custom_tool_call", "*** a"), custom
    assert refused(client, model=model, input="x", previous_response_id="resp_999") == "previous_response_id"
    assert refused(client, model=model, input="x", background=True) == "background"


server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Provider)
threading.Thread(target=server.serve_forever, daemon=True).start()
gateway = f"http://127.0.0.1:{sys.argv[1]}"
plain = OpenAI(base_url=f"{gateway}/v1", api_key="none", max_retries=0)
talk(plain, "openai", "/v1/responses")
talk(plain, "azure", "/openai/v1/responses")
assert ASKED[-1][1]["model"] == "my-deployment", ASKED[-1]
# Another provider has Chat Completions alone, and no store.
assert plain.responses.create(model="busy", input="Hi").output_text == "Chat"
assert refused(plain, model="chat", input="x", previous_response_id="resp_1") == "previous_response_id"
assert plain.chat.completions.create(model="openai", messages=[]).choices[0].message.content == "Chat"
# Guardrails read all that is said: nothing is kept where they do not see it.
guarded = OpenAI(base_url=f"{gateway}/guarded/v1", api_key="none", max_retries=0)
assert guarded.responses.create(model="openai", input="Hi").output_text == "Chat"
assert refused(guarded, model="openai", input="x", previous_response_id="resp_1") == "previous_response_id"
# A copy could not be asked for again: who says nothing of the store gets none.
cached = OpenAI(base_url=f"{gateway}/cached/v1", api_key="none", max_retries=0)
names = [cached.responses.create(model="openai", input="Hi").id for _ in range(2)]
assert names[0] != names[1], names
counted = len(ASKED)
texts = [cached.responses.create(model="openai", input="Hi", store=False).output_text for _ in range(2)]
assert texts == ["Hello", "Hello"] and len(ASKED) == counted + 1, (texts, counted, len(ASKED))
