"""WebSockets over HTTP/2 (RFC 8441). `extended_connect.py CHECK GATEWAY-PORT [ORIGIN-PORT]` ends with 0 when all is well."""

import base64
import hashlib
import os
import socket
import sys

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.settings

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "HTTP2"))
from origin import Origin

GATEWAY = int(sys.argv[2])
ENABLE = h2.settings.SettingCodes.ENABLE_CONNECT_PROTOCOL
VERSION = [("sec-websocket-version", "13"), ("sec-websocket-protocol", "chat")]


class Client:
    def __init__(self):
        self.sock = socket.create_connection(("127.0.0.1", GATEWAY), 20)
        self.peer = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.peer.initiate_connection()
        self.heads, self.bodies, self.ended, self.resets = {}, {}, set(), {}
        self.flush()
        self.until(lambda: self.peer.remote_settings.get(ENABLE) == 1)

    def flush(self):
        self.sock.sendall(self.peer.data_to_send())

    def until(self, condition):
        while not condition():
            octets = self.sock.recv(65536)
            assert octets, "the gateway has closed"
            for event in self.peer.receive_data(octets):
                if isinstance(event, h2.events.ResponseReceived):
                    self.heads[event.stream_id] = dict(event.headers)
                elif isinstance(event, h2.events.DataReceived):
                    self.bodies[event.stream_id] = self.bodies.get(event.stream_id, b"") + event.data
                    self.peer.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, h2.events.StreamEnded):
                    self.ended.add(event.stream_id)
                elif isinstance(event, h2.events.StreamReset):
                    self.resets[event.stream_id] = event.error_code
            self.flush()

    def ask(self, fields=VERSION, protocol="websocket", path="/talk"):
        stream = self.peer.get_next_available_stream_id()
        head = [(":method", "CONNECT"), (":protocol", protocol), (":scheme", "http"), (":path", path)]
        self.peer.send_headers(stream, head + [(":authority", "a.example")] + fields)
        self.flush()
        self.until(lambda: stream in self.heads or stream in self.resets)
        return stream

    def status(self, stream):
        return self.heads[stream][":status"]

    def send(self, stream, octets):
        while octets:
            self.until(lambda: self.peer.local_flow_control_window(stream) > 0)
            count = min(len(octets), self.peer.local_flow_control_window(stream), self.peer.max_outbound_frame_size)
            self.peer.send_data(stream, octets[:count])
            octets = octets[count:]
            self.flush()


def frame(payload, opcode=2):
    """A masked one, as clients send; the mask is none of the gateway's business."""
    length = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xff" + len(payload).to_bytes(8, "big")
    return bytes([0x80 | opcode]) + length + bytes(4) + payload


def talk(client):
    stream = client.ask()
    head = client.heads[stream]
    assert client.status(stream) == "200", head
    for name in ("sec-websocket-accept", "connection", "upgrade", "transfer-encoding", "content-length"):
        assert name not in head, head
    sent = frame(b"hello")
    client.send(stream, sent)
    client.until(lambda: client.bodies.get(stream) == sent)
    for _ in range(4):
        large = frame(os.urandom(300_000))
        sent += large
        client.send(stream, large)
    client.until(lambda: len(client.bodies[stream]) == len(sent))
    assert client.bodies[stream] == sent
    return stream, head


def end(client, stream):
    client.send(stream, frame((1000).to_bytes(2, "big"), opcode=8))
    client.peer.end_stream(stream)
    client.flush()
    client.until(lambda: stream in client.ended)


def front():
    """A target that speaks HTTP/1.1."""
    origin = Origin("h1", int(sys.argv[3]))
    client = Client()
    first, _ = talk(client)
    second, _ = talk(client)
    end(client, first)
    end(client, second)
    third, _ = talk(client)
    client.peer.reset_stream(third, h2.errors.ErrorCodes.CANCEL)
    client.flush()
    fourth, _ = talk(client)
    end(client, fourth)
    keys = {dict(request.fields)["sec-websocket-key"] for request in origin.requests}
    assert len(keys) == 4, keys
    for request in origin.requests:
        fields = dict(request.fields)
        assert request.method == "GET" and fields["upgrade"] == "websocket", fields
        assert fields["connection"].lower() == "upgrade" and fields["sec-websocket-version"] == "13", fields


def refusals():
    client = Client()
    stream = client.ask(fields=[])
    assert client.status(stream) == "426" and client.heads[stream]["sec-websocket-version"] == "13", client.heads[stream]
    stream = client.ask(protocol="other")
    assert client.status(stream) in ("400", "501"), client.heads[stream]


def declined():
    """No answer but a switch may look like one."""
    client = Client()
    for path, status in (("/403", "403"), ("/200", "502")):
        stream = client.ask(path=path)
        client.until(lambda: stream in client.ended)
        assert client.status(stream) == status and client.bodies[stream] == b"no", client.heads[stream]


KEY = base64.b64encode(bytes(range(16)))


def switch(path=b"/talk"):
    sock = socket.create_connection(("127.0.0.1", GATEWAY), 20)
    sock.sendall(
        b"GET " + path + b" HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + KEY + b"\r\nSec-WebSocket-Protocol: chat\r\n\r\n")
    received = b""
    while b"\r\n\r\n" not in received:
        octets = sock.recv(65536)
        assert octets, received
        received += octets
    return sock, received


def behind():
    """A client of HTTP/1.1, a target of HTTP/2."""
    origin = Origin("h2c", int(sys.argv[3]), settings={ENABLE: 1})
    for _ in range(2):
        sock, head = switch()
        accept = base64.b64encode(hashlib.sha1(KEY + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        assert head.startswith(b"HTTP/1.1 101 "), head
        assert b"sec-websocket-accept: " + accept.lower() in head.lower() and accept in head, head
        assert b"sec-websocket-protocol: chat" in head, head
        sent = frame(b"hello") + frame(os.urandom(500_000))
        sock.sendall(sent)
        received = b""
        while len(received) < len(sent):
            octets = sock.recv(65536)
            assert octets, len(received)
            received += octets
        assert received == sent
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(100) == b""
    fields = dict(origin.requests[0].fields)
    assert fields[":method"] == "CONNECT" and fields[":protocol"] == "websocket" and fields[":path"] == "/talk", fields
    assert fields["sec-websocket-version"] == "13" and "sec-websocket-key" not in fields, fields
    assert "upgrade" not in fields and "connection" not in fields, fields
    assert origin.connections == 1


def unable():
    """A target that has not said that it takes WebSockets."""
    Origin("h2c", int(sys.argv[3]))
    _, head = switch()
    assert head.startswith(b"HTTP/1.1 502 ") and b"X-Fault: upstream" in head, head


def through():
    """HTTP/2 on both sides."""
    origin = Origin("h2c", int(sys.argv[3]), settings={ENABLE: 1})
    client = Client()
    first, head = talk(client)
    assert head["sec-websocket-protocol"] == "chat", head
    end(client, first)
    second, _ = talk(client)
    client.peer.reset_stream(second, h2.errors.ErrorCodes.CANCEL)
    client.flush()
    assert origin.cancelled.wait(20), "the target was not told"
    assert origin.connections == 1


globals()[sys.argv[1]]()
