"""A provider of OpenAI's dialect for what is passed as it is, and its official package as the client.

    passing.py serve            prints the ports of HTTP and of WebSocket
    passing.py ask PORT         exits 0 when all was as it should be

https://platform.openai.com/docs/api-reference: audio, images, files, realtime. The provider knows one key, `the-key`.
"""

import asyncio
import json
import sys
import traceback
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import openai
from websockets.asyncio.server import serve

SOUND = b"ID3" + bytes(range(256)) * 2000
FILE = {"id": "file-1", "object": "file", "bytes": 3, "created_at": 1, "filename": "a.jsonl", "purpose": "batch", "status": "processed"}


def form(headers, body):
    """The parts of a form by their names, as another reader has them."""
    message = BytesParser().parsebytes(b"Content-Type: " + headers["Content-Type"].encode() + b"\r\n\r\n" + body)
    parts = {}
    for part in message.get_payload():
        name = part.get_param("name", header="content-disposition")
        assert name not in parts, name
        parts[name] = part.get_payload(decode=True)
    return parts


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body, kind="application/json"):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Set-Cookie", "__cf_bm=secret")
        self.send_header("OpenAI-Organization", "ours")
        self.end_headers()
        self.wfile.write(body)

    def body(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def respond(self):
        body, url = self.body(), urlsplit(self.path)
        if self.headers["Authorization"] != "Bearer the-key":
            return self.answer(401, {"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}})
        for name in ("X-Forwarded-For", "Forwarded", "Cookie", "x-api-key"):
            assert self.headers[name] is None, name
        what = (self.command, url.path)
        if what == ("POST", "/v1/audio/transcriptions"):
            parts = form(self.headers, body)
            assert parts["file"] == SOUND and parts["model"] == b"whisper-1", parts.keys()
            return self.answer(200, {"text": parts["prompt"].decode(), "usage": {"type": "tokens", "input_tokens": 14, "output_tokens": 2, "total_tokens": 16}})
        if what == ("POST", "/v1/images/edits"):
            parts = form(self.headers, body)
            assert parts["image"] == b"PNG" and parts["model"] == b"gpt-image-1"
            return self.answer(200, {"created": 1, "data": [{"b64_json": "UE5H"}]})
        if what == ("POST", "/v1/images/generations"):
            return self.answer(200, {"created": 1, "data": [{"b64_json": "UE5H"}]})
        if what == ("POST", "/v1/audio/speech"):
            return self.answer(200, SOUND, "audio/mpeg")
        if what == ("POST", "/v1/files"):
            parts = form(self.headers, body)
            return self.answer(200, {**FILE, "bytes": len(parts["file"]), "purpose": parts["purpose"].decode()})
        if what == ("GET", "/v1/files"):
            assert parse_qs(url.query) == {"purpose": ["batch"]}, url.query
            return self.answer(200, {"object": "list", "data": [FILE], "has_more": False})
        if what == ("GET", "/v1/files/file-1/content"):
            return self.answer(200, SOUND, "application/octet-stream")
        if what == ("DELETE", "/v1/files/file-1"):
            return self.answer(200, {"id": "file-1", "object": "file", "deleted": True})
        self.answer(404, {"error": {"message": f"No such file: {url.path}"}})

    do_GET = do_POST = do_DELETE = respond


async def realtime(socket):
    url, headers = urlsplit(socket.request.path), socket.request.headers
    known = headers["Authorization"] == "Bearer the-key" and url.path == "/v1/realtime"
    hidden = not any("key" in name for name in headers.get_all("Sec-WebSocket-Protocol"))
    model = parse_qs(url.query).get("model")
    if not (known and hidden and model == ["gpt-realtime"] and "X-Forwarded-For" not in headers):
        return await socket.close(1008, "refused")
    await socket.send(json.dumps({"type": "session.created", "event_id": "e1", "session": {"type": "realtime", "model": model[0]}}))
    async for text in socket:
        if json.loads(text)["type"] != "response.create":
            continue
        await socket.send(json.dumps({"type": "response.output_audio.delta", "event_id": "e2", "response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0, "delta": "A" * 200_000}))
        usage = {"total_tokens": 275, "input_tokens": 127, "output_tokens": 148, "input_token_details": {"cached_tokens": 64}}
        await socket.send(json.dumps({"type": "response.done", "event_id": "e3", "response": {"object": "realtime.response", "usage": usage}}))


async def run():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    async with serve(realtime, "127.0.0.1", 0, select_subprotocol=lambda *_: None) as sockets:
        print(server.server_address[1], sockets.sockets[0].getsockname()[1], flush=True)
        await sockets.serve_forever()


def check(condition, what):
    if not condition:
        raise AssertionError(f"not as it should be: {what}")


def audio(client, base):
    heard = client.audio.transcriptions.create(model="ears", file=("a.mp3", SOUND), prompt="Zürich 😀")
    check(heard.text == "Zürich 😀", heard)
    check(client.audio.speech.create(model="http/tts-1", voice="alloy", input="Hi").read() == SOUND, "speech")


def images(client, base):
    edited = client.images.edit(model="http/gpt-image-1", image=("a.png", b"PNG", "image/png"), prompt="A hat")
    check(edited.data[0].b64_json == "UE5H", edited)
    check(client.images.generate(model="http/gpt-image-1", prompt="A hat").data[0].b64_json == "UE5H", "an image")


def files(client, base):
    sent = client.files.create(file=("a.jsonl", SOUND), purpose="batch")
    check(sent.bytes == len(SOUND) and sent.purpose == "batch", sent)
    listed = client.files.with_raw_response.list(purpose="batch")
    check([file.id for file in listed.parse()] == ["file-1"], listed)
    check("set-cookie" not in listed.headers and "openai-organization" not in listed.headers, listed.headers)
    check(client.files.content("file-1").read() == SOUND, "content")
    check(client.files.delete("file-1").deleted, "deleted")
    try:
        client.files.retrieve("file-2")
        check(False, "no such file")
    except openai.NotFoundError as found:
        check("No such file" in found.body["message"], found.body)


async def talk(base):
    client = openai.AsyncOpenAI(base_url=base, api_key="unused", max_retries=0)
    async with client.realtime.connect(model="voice", websocket_connection_options={"subprotocols": ["realtime", "openai-insecure-api-key.unused"]}) as connection:
        first = await connection.recv()
        check(first.type == "session.created" and first.session.model == "gpt-realtime", first)
        for _ in range(2):
            await connection.response.create()
            check(len((await connection.recv()).delta) == 200_000, "sound")
            check((await connection.recv()).response.usage.output_tokens == 148, "the end")


def conversation(client, base):
    asyncio.run(talk(base))


def ask(port):
    base = f"http://127.0.0.1:{port}/v1"
    client = openai.OpenAI(base_url=base, api_key="unused", max_retries=0)
    failed = 0
    for run in (audio, images, files, conversation):
        try:
            run(client, base)
        except Exception:
            failed += 1
            print("---", run.__name__)
            traceback.print_exc(limit=4, file=sys.stdout)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    asyncio.run(run()) if sys.argv[1] == "serve" else ask(sys.argv[2])
