"""One protocol in front, one behind, and every kind of exchange between them.

`matrix.py FRONT BEHIND GATEWAY-PORT ORIGIN-PORT AUTHORITY CERTIFICATE KEY` ends with 0 when all of them pass, and names
those that do not. The clients are written on sockets and the h2 library, so that both ends see every frame.
"""

import os
import socket
import ssl
import sys
import time
import traceback

import h2.config
import h2.connection
import h2.errors
import h2.events

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "HTTP2"))
from origin import LARGE, Origin

FRONT, BEHIND, GATEWAY, PORT, AUTHORITY, CERTIFICATE, KEY = sys.argv[1:8]
SECURE = FRONT.endswith("+tls")


class Broken(Exception):
    """The exchange ended before the answer did."""


def connect():
    sock = socket.create_connection(("127.0.0.1", int(GATEWAY)), 20)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if not SECURE:
        return sock
    context = ssl.create_default_context(cafile=AUTHORITY)
    context.set_alpn_protocols(["h2" if FRONT == "h2+tls" else "http/1.1"])
    sock = context.wrap_socket(sock, server_hostname="localhost")
    assert sock.selected_alpn_protocol() == ("h2" if FRONT == "h2+tls" else "http/1.1")
    return sock


class Answer:
    def __init__(self):
        self.status, self.fields, self.body, self.trailers = 0, {}, bytearray(), {}


class HTTP1:
    def __init__(self):
        self.sock = connect()
        self.file = self.sock.makefile("rb")

    def send(self, method, path, body=None, chunks=None, trailers=(), length=None):
        head = f"{method} {path} HTTP/1.1\r\nHost: a.example\r\n"
        if chunks is not None:
            head += "Transfer-Encoding: chunked\r\n"
        elif body is not None:
            head += f"Content-Length: {length or len(body)}\r\n"
        self.sock.sendall(head.encode() + b"\r\n")
        for chunk in chunks or []:
            self.sock.sendall(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        if chunks is not None:
            self.sock.sendall(b"0\r\n" + b"".join(b"%b: %b\r\n" % line for line in trailers) + b"\r\n")
        elif body:
            self.sock.sendall(body)

    def line(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise Broken
        return line.rstrip(b"\r\n").decode()

    def lines(self):
        fields = {}
        while line := self.line():
            name, _, value = line.partition(":")
            fields[name.lower()] = value.strip()
        return fields

    def read(self, count):
        octets = self.file.read(count)
        if len(octets) < count:
            raise Broken
        return octets

    def answer(self):
        try:
            return self.take()
        except ConnectionError:
            raise Broken

    def take(self):
        answer = Answer()
        answer.status = int(self.line().split()[1])
        answer.fields = self.lines()
        if answer.status == 204:
            return answer
        if answer.fields.get("transfer-encoding") == "chunked":
            while size := int(self.line(), 16):
                answer.body += self.read(size + 2)[:-2]
            answer.trailers = self.lines()
        else:
            answer.body += self.read(int(answer.fields["content-length"]))
        return answer

    def cancel(self):
        self.file.close()
        self.sock.close()


class HTTP2:
    def __init__(self):
        self.sock = connect()
        self.peer = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.peer.initiate_connection()
        self.peer.increment_flow_control_window(8 << 20)
        self.events = []
        self.flush()

    def flush(self):
        self.sock.sendall(self.peer.data_to_send())

    def step(self):
        octets = self.sock.recv(65536)
        if not octets:
            raise Broken
        self.events += self.peer.receive_data(octets)
        for event in self.events:
            if isinstance(event, h2.events.DataReceived) and event.flow_controlled_length:
                self.peer.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                event.flow_controlled_length = 0
        self.flush()

    def send(self, method, path, body=None, chunks=None, trailers=(), length=None):
        self.stream = self.peer.get_next_available_stream_id()
        scheme = "https" if SECURE else "http"
        fields = [(":method", method), (":scheme", scheme), (":path", path), (":authority", "a.example")]
        if body is not None:
            fields.append(("content-length", str(length or len(body))))
        self.peer.send_headers(self.stream, fields, end_stream=body is None and chunks is None)
        self.flush()
        for piece in chunks if chunks is not None else [body or b""]:
            if not self.push(piece):
                return
        if trailers:
            self.peer.send_headers(self.stream, trailers, end_stream=True)
        elif (body is not None or chunks is not None) and not length:
            self.peer.end_stream(self.stream)
        self.flush()

    def push(self, octets):
        """Sends; false when the stream was ended meanwhile."""
        view = memoryview(octets)
        while view:
            while not (room := self.peer.local_flow_control_window(self.stream)):
                self.step()
                if any(isinstance(event, h2.events.StreamReset) for event in self.events):
                    return False
            count = min(len(view), room, self.peer.max_outbound_frame_size)
            self.peer.send_data(self.stream, bytes(view[:count]))
            view = view[count:]
            self.flush()
        return True

    def answer(self):
        answer = Answer()
        while True:
            while self.events:
                event = self.events.pop(0)
                if getattr(event, "stream_id", self.stream) != self.stream:
                    continue
                if isinstance(event, h2.events.ResponseReceived):
                    answer.fields = dict(event.headers)
                    answer.status = int(answer.fields[":status"])
                elif isinstance(event, h2.events.DataReceived):
                    answer.body += event.data
                elif isinstance(event, h2.events.TrailersReceived):
                    answer.trailers = dict(event.headers)
                elif isinstance(event, h2.events.StreamEnded):
                    return answer
                elif isinstance(event, h2.events.StreamReset):
                    raise Broken
            self.step()

    def cancel(self):
        self.peer.reset_stream(self.stream, h2.errors.ErrorCodes.CANCEL)
        self.flush()


def none(client, origin):
    client.send("GET", "/none")
    answer = client.answer()
    assert answer.status == 204 and not answer.body, answer.status


def small(client, origin):
    for _ in range(3):
        client.send("POST", "/echo", b"hello")
        answer = client.answer()
        assert answer.status == 200 and answer.body == b"POST 5 ", (answer.status, answer.body)
        assert answer.fields["content-length"] == "7", answer.fields


def large(client, origin):
    client.send("POST", "/large", LARGE)
    answer = client.answer()
    assert answer.status == 200 and answer.body == LARGE, (answer.status, len(answer.body))
    assert origin.requests[-1].body == LARGE


def chunked(client, origin):
    client.send("POST", "/chunked", chunks=[b"x" * size for size in (1, 1000, 70_000, 3)])
    answer = client.answer()
    assert answer.status == 200 and answer.body == b"piece" * 1000, (answer.status, len(answer.body))
    assert len(origin.requests[-1].body) == 71_004
    assert "content-length" not in answer.fields, answer.fields


def trailers(client, origin):
    client.send("POST", "/trailers", chunks=[b"abc"], trailers=[(b"x-check", b"3")])
    answer = client.answer()
    assert answer.body == b"hello" and answer.trailers == {"x-sum": "5", "x-more": "yes"}, answer.trailers
    assert origin.requests[-1].trailers == [("x-check", "3")], origin.requests[-1].trailers


def early(client, origin):
    """The answer comes before the request is complete, and the rest of it never does."""
    client.send("POST", "/early", b"abc", length=1 << 20)
    answer = client.answer()
    assert answer.status == 413 and answer.body == b"too soon", (answer.status, answer.body)


def cancel(client, origin):
    origin.cancelled.clear()
    client.send("GET", "/hang")
    end = time.monotonic() + 20
    while not any(request.path == "/hang" for request in origin.requests):
        assert time.monotonic() < end, "the request did not arrive"
        time.sleep(0.005)
    client.cancel()
    assert origin.cancelled.wait(20), "the target was not told"


def reset(client, origin):
    """In the middle of the answer: nobody may take the half for the whole."""
    client.send("GET", "/broken")
    try:
        answer = client.answer()
    except Broken:
        return
    # Nothing of it had been sent on.
    assert answer.status == 502, (answer.status, answer.body)


origin = Origin(BEHIND, int(PORT), CERTIFICATE, KEY)
failed = False
for exchange in (none, small, large, chunked, trailers, early, cancel, reset):
    try:
        # The target is asked in a fresh state: a connection that is broken off takes it out for a moment.
        exchange(HTTP2() if FRONT in ("h2c", "h2+tls") else HTTP1(), origin)
    except Exception:
        failed = True
        print(f"{exchange.__name__}, {FRONT} to {BEHIND}:\n{traceback.format_exc()}")
sys.exit(failed)
