"""Models of five dialects, written by hand after each provider's own reference; what one says, all say.

Prints the port. A model says again what it was told, calls the first tool that it is offered, fills in a schema that has
a `city`, and tells how many pictures it was shown. The model `busy` is always too busy, and a stream of "cut" breaks off.
`/v1/chat/completions` (https://platform.openai.com/docs/api-reference/chat), `/v1/messages`
(https://docs.anthropic.com/en/api/messages), `/v1beta/models/…:generateContent`
(https://ai.google.dev/api/generate-content), `/model/…/converse`
(https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html) and
`/openai/deployments/…/chat/completions?api-version=…` with an `api-key`
(https://learn.microsoft.com/azure/ai-foundry/openai/reference).
"""

import base64
import json
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

from bedrock import frame

PICTURE = base64.b64encode(b"\x89PNG of a test").decode()


@dataclass
class Said:
    text: str = ""
    result: str | None = None
    tool: str | None = None
    schema: dict | None = None
    pictures: int = 0
    streams: bool = False

    def reply(self):
        """The text, or the tool that is called with what."""
        filled = {"city": self.text}
        if self.result is not None:
            return f"The tool said: {self.result}", None
        if self.tool:
            return "", (self.tool, filled)
        if self.schema:
            return json.dumps(filled), None
        return (f"You showed {self.pictures}" if self.pictures else f"You said: {self.text}"), None


class Unreadable(Exception):
    """The request is none of the dialect."""


def need(condition, what):
    if not condition:
        raise Unreadable(what)


def texts(parts, key="text"):
    return " ".join(part[key] for part in parts if key in part)


# Each dialect: how a request is read, a whole answer, the events of a stream, an error.


class Chat:
    def read(self, path, body):
        last = body["messages"][-1]
        need(all(m["role"] in ("system", "developer", "user", "assistant", "tool") for m in body["messages"]), "role")
        parts = last["content"] if isinstance(last["content"], list) else [{"type": "text", "text": last["content"]}]
        said = Said(texts(parts), streams=body.get("stream") is True)
        said.pictures = sum(p["type"] == "image_url" and p["image_url"]["url"].endswith(PICTURE) for p in parts)
        if last["role"] == "tool":
            calls = [c for m in body["messages"] for c in m.get("tool_calls") or []]
            need(last["tool_call_id"] in [c["id"] for c in calls], "the result of no call")
            said.result = said.text
        if body.get("tools"):
            said.tool = body["tools"][0]["function"]["name"]
        said.schema = (body.get("response_format") or {}).get("json_schema", {}).get("schema")
        return body["model"], said

    usage = {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}

    def whole(self, text, tool):
        message = {"role": "assistant", "content": text or None}
        if tool:
            function = {"name": tool[0], "arguments": json.dumps(tool[1])}
            message["tool_calls"] = [{"id": "call_1", "type": "function", "function": function}]
        choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if tool else "stop"}
        return {"id": "c1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": self.usage}

    def stream(self, text, tool):
        def chunk(delta, finish=None):
            choice = {"index": 0, "delta": delta, "finish_reason": finish}
            return {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}

        yield chunk({"role": "assistant", "content": ""})
        if tool:
            function = {"name": tool[0], "arguments": ""}
            yield chunk({"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": function}]})
            for piece in json.dumps(tool[1]):
                yield chunk({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]})
        for piece in text:
            yield chunk({"content": piece})
        yield chunk({}, "tool_calls" if tool else "stop")
        yield {**chunk({}), "choices": [], "usage": self.usage}
        yield "[DONE]"

    def error(self):
        return {"error": {"message": "Too busy", "type": "requests", "param": None, "code": "rate_limit_exceeded"}}


class Deployment(Chat):
    """A deployment is named in the path, whatever the body says."""

    def read(self, path, body):
        said = super().read(path, {"model": None, **body})[1]
        return unquote(path.split("/")[3]), said


class Messages:
    def read(self, path, body):
        need(body["max_tokens"] > 0, "max_tokens")
        need(all(m["role"] in ("user", "assistant") for m in body["messages"]), "role")
        last = body["messages"][-1]
        parts = last["content"] if isinstance(last["content"], list) else [{"type": "text", "text": last["content"]}]
        said = Said(texts(parts), streams=body.get("stream") is True)
        said.pictures = sum(p["type"] == "image" and p["source"]["data"] == PICTURE for p in parts)
        for part in parts:
            if part["type"] == "tool_result":
                calls = [b["id"] for m in body["messages"] for b in m["content"] if isinstance(b, dict) and b["type"] == "tool_use"]
                need(part["tool_use_id"] in calls, "the result of no call")
                content = part["content"]
                said.result = content if isinstance(content, str) else texts(content)
        if body.get("tools"):
            need("input_schema" in body["tools"][0], "input_schema")
            said.tool = body["tools"][0]["name"]
        said.schema = (body.get("output_config") or {}).get("format", {}).get("schema")
        return body["model"], said

    def head(self):
        return {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_sequence": None}

    def whole(self, text, tool):
        block = {"type": "tool_use", "id": "toolu_1", "name": tool[0], "input": tool[1]} if tool else {"type": "text", "text": text}
        reason = "tool_use" if tool else "end_turn"
        return {**self.head(), "content": [block], "stop_reason": reason, "usage": {"input_tokens": 5, "output_tokens": 3}}

    def stream(self, text, tool):
        usage = {"input_tokens": 5, "output_tokens": 1}
        yield {"type": "message_start", "message": {**self.head(), "content": [], "stop_reason": None, "usage": usage}}
        block = {"type": "tool_use", "id": "toolu_1", "name": tool[0], "input": {}} if tool else {"type": "text", "text": ""}
        yield {"type": "content_block_start", "index": 0, "content_block": block}
        yield {"type": "ping"}
        for piece in json.dumps(tool[1]) if tool else text:
            delta = {"type": "input_json_delta", "partial_json": piece} if tool else {"type": "text_delta", "text": piece}
            yield {"type": "content_block_delta", "index": 0, "delta": delta}
        yield {"type": "content_block_stop", "index": 0}
        delta = {"stop_reason": "tool_use" if tool else "end_turn", "stop_sequence": None}
        yield {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 3}}
        yield {"type": "message_stop"}

    def error(self):
        return {"type": "error", "error": {"type": "rate_limit_error", "message": "Too busy"}}


class Generate:
    def read(self, path, body):
        need(all(c.get("role", "user") in ("user", "model", "function") for c in body["contents"]), "role")
        parts = body["contents"][-1]["parts"]
        said = Said(texts(parts), streams="streamGenerateContent" in path)
        said.pictures = sum(p.get("inlineData", {}).get("data") == PICTURE for p in parts)
        for part in parts:
            if "functionResponse" in part:
                said.result = str(next(iter(part["functionResponse"]["response"].values())))
        if body.get("tools"):
            said.tool = body["tools"][0]["functionDeclarations"][0]["name"]
        config = body.get("generationConfig", {})
        said.schema = config.get("responseJsonSchema") or config.get("responseSchema")
        need(not said.schema or config["responseMimeType"] == "application/json", "responseMimeType")
        return path.split("/models/")[1].split(":")[0], said

    def content(self, parts, **more):
        return {"candidates": [{"content": {"role": "model", "parts": parts}, "index": 0, **more}], "modelVersion": "m", "responseId": "r"}

    usage = {"promptTokenCount": 5, "candidatesTokenCount": 3, "totalTokenCount": 8}

    def part(self, text, tool):
        return {"functionCall": {"name": tool[0], "args": tool[1]}} if tool else {"text": text}

    def whole(self, text, tool):
        return {**self.content([self.part(text, tool)], finishReason="STOP"), "usageMetadata": self.usage}

    def stream(self, text, tool):
        if tool:
            yield self.content([self.part("", tool)])
        for piece in text:
            yield self.content([{"text": piece}])
        yield {**self.content([{"text": ""}], finishReason="STOP"), "usageMetadata": self.usage}

    def error(self):
        return {"error": {"code": 429, "message": "Too busy", "status": "RESOURCE_EXHAUSTED"}}


class Converse:
    def read(self, path, body):
        parts = body["messages"][-1]["content"]
        said = Said(texts(parts), streams=path.endswith("/converse-stream"))
        said.pictures = sum(p.get("image", {}).get("source", {}).get("bytes") == PICTURE for p in parts)
        for part in parts:
            if "toolResult" in part:
                said.result = texts(part["toolResult"]["content"])
        if body.get("toolConfig"):
            said.tool = body["toolConfig"]["tools"][0]["toolSpec"]["name"]
        return unquote(path.split("/")[2]), said

    usage = {"inputTokens": 5, "outputTokens": 3, "totalTokens": 8}

    def whole(self, text, tool):
        part = {"toolUse": {"toolUseId": "tooluse_1", "name": tool[0], "input": tool[1]}} if tool else {"text": text}
        reason = "tool_use" if tool else "end_turn"
        return {"output": {"message": {"role": "assistant", "content": [part]}}, "stopReason": reason, "usage": self.usage}

    def stream(self, text, tool):
        yield "messageStart", {"role": "assistant"}
        if tool:
            yield "contentBlockStart", {"contentBlockIndex": 0, "start": {"toolUse": {"toolUseId": "tooluse_1", "name": tool[0]}}}
        for piece in json.dumps(tool[1]) if tool else text:
            yield "contentBlockDelta", {"contentBlockIndex": 0, "delta": {"toolUse": {"input": piece}} if tool else {"text": piece}}
        yield "contentBlockStop", {"contentBlockIndex": 0}
        yield "messageStop", {"stopReason": "tool_use" if tool else "end_turn"}
        yield "metadata", {"usage": self.usage, "metrics": {"latencyMs": 1}}

    def error(self):
        return {"message": "Too busy"}


def dialect(path):
    if path.startswith("/model/"):
        return Converse()
    if path.startswith("/v1beta/"):
        return Generate()
    if path.startswith("/openai/deployments/"):
        return Deployment()
    return Messages() if path.endswith("/messages") else Chat()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        if status == 429:
            self.send_header("Retry-After", "0")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def octets(self, event):
        if isinstance(event, tuple):
            return frame(*event)
        if event == "[DONE]":
            return b"data: [DONE]\n\n"
        name = f"event: {event['type']}\n" if "type" in event else ""
        return f"{name}data: {json.dumps(event)}\n\n".encode()

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        path, query = urlsplit(self.path)[2:4]
        spoken = dialect(path)
        try:
            if isinstance(spoken, Deployment):
                need(query.startswith("api-version=20") and self.headers["api-key"], "api-version, api-key")
            model, said = spoken.read(path, body)
        except (Unreadable, KeyError, TypeError) as error:
            return self.answer(400, {"error": {"message": f"unreadable: {error!r}", "code": 400}, "message": f"{error!r}"})
        if model == "busy":
            return self.answer(429, spoken.error())
        if not said.streams:
            return self.answer(200, spoken.whole(*said.reply()))
        self.send_response(200)
        kind = "application/vnd.amazon.eventstream" if isinstance(spoken, Converse) else "text/event-stream"
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number, event in enumerate(spoken.stream(*said.reply())):
            if said.text == "cut" and number == 6:
                self.close_connection = True
                return
            data = self.octets(event)
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.write(b"0\r\n\r\n")


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()
