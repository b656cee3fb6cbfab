"""A stand-in of Amazon Bedrock that checks with `botocore` what the gateway sends, and what it sends itself.

Prints the port. A request whose signature botocore computes otherwise gets 403; one that botocore's own description of
Converse does not allow gets 400; the rest is answered with what was said.
"""

import binascii
import json
import struct
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.eventstream import EventStreamBuffer
from botocore.validate import ParamValidator

CREDENTIALS = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "token+of/the=session")
CONVERSE = botocore.session.get_session().get_service_model("bedrock-runtime").operation_model("Converse").input_shape


def frame(name, payload, kind="event"):
    """One message of the binary stream."""
    headers = b""
    for key, value in [(f":{kind}-type", name), (":content-type", "application/json"), (":message-type", kind)]:
        headers += struct.pack("!B", len(key)) + key.encode() + struct.pack("!BH", 7, len(value)) + value.encode()
    body = json.dumps(payload).encode()
    prelude = struct.pack("!II", 16 + len(headers) + len(body), len(headers))
    message = prelude + struct.pack("!I", binascii.crc32(prelude)) + headers + body
    return message + struct.pack("!I", binascii.crc32(message))


def stream(text, broken=False):
    """A whole answer, which botocore reads too."""
    events = [("messageStart", {"role": "assistant"})]
    events += [("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": c}}) for c in text]
    messages = [frame(*event) for event in events]
    if broken:
        messages.append(frame("throttlingException", {"message": "Slow down"}, "exception"))
    else:
        messages.append(frame("contentBlockStop", {"contentBlockIndex": 0}))
        messages.append(frame("messageStop", {"stopReason": "end_turn"}))
        messages.append(frame("metadata", {"usage": {"inputTokens": 3, "outputTokens": 4, "totalTokens": 7}}))
    buffer = EventStreamBuffer()
    buffer.add_data(b"".join(messages))
    assert len(list(buffer)) == len(messages)
    return b"".join(messages)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body, kind="application/json"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def is_signed(self, body):
        given = self.headers["Authorization"]
        names = given.split("SignedHeaders=")[1].split(",")[0].split(";")
        url = f"http://{self.headers['Host']}{self.path}"
        request = AWSRequest("POST", url, {name: self.headers[name] for name in names}, body)
        request.context["timestamp"] = self.headers["X-Amz-Date"]
        auth = SigV4Auth(CREDENTIALS, "bedrock", "eu-central-1")
        canonical = auth.canonical_request(request)
        signature = auth.signature(auth.string_to_sign(request, canonical), request)
        wanted = {"host", "content-type", "x-amz-date", "x-amz-security-token"}
        return given.endswith("Signature=" + signature) and set(names) == wanted

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not self.is_signed(body):
            return self.answer(403, b'{"message":"The request signature we calculated does not match"}')
        asked = json.loads(body)
        model = unquote(self.path.split("/")[2])
        report = ParamValidator().validate({**asked, "modelId": model}, CONVERSE)
        if report.has_errors():
            return self.answer(400, json.dumps({"message": report.generate_report()}).encode())
        text = f"{model}: " + asked["messages"][-1]["content"][-1].get("text", "?")
        if self.path.endswith("/converse-stream"):
            return self.answer(200, stream(text, "break" in text), "application/vnd.amazon.eventstream")
        if "limit" in text:
            return self.answer(429, b'{"message":"Too many requests"}')
        message = {"role": "assistant", "content": [{"text": text}]}
        usage = {"inputTokens": 3, "outputTokens": 4, "totalTokens": 7, "cacheReadInputTokens": 2}
        answer = {"output": {"message": message}, "stopReason": "end_turn", "usage": usage, "metrics": {"latencyMs": 1}}
        self.answer(200, json.dumps(answer).encode())


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()
