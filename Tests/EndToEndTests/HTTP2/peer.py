"""A client of HTTP/2 that does what it is told, also what no library lets one do: frames by hand, heads by hpack."""

import os
import socket
import ssl
import struct
import sys
import time

import hpack

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED = 1, 1, 4, 8
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
NO_ERROR, PROTOCOL_ERROR, REFUSED_STREAM, CANCEL, CALM = 0, 1, 7, 8, 11


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


# Whether the gateway is spoken to under TLS; the third argument says so.
SECURE = "tls" in sys.argv[3:]
SCHEME = "https" if SECURE else "http"


class Closed(Exception):
    pass


class SecureSocket(ssl.SSLSocket):
    """Says that nothing has come as other sockets do."""

    def recv(self, *arguments):
        try:
            return super().recv(*arguments)
        except ssl.SSLWantReadError:
            raise BlockingIOError from None
        except ssl.SSLError as error:
            raise ConnectionResetError from error


def secured(connection):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    context.sslsocket_class = SecureSocket
    return context.wrap_socket(connection, server_hostname="localhost")


def await_file(path):
    """Waits for a word of the test that started this."""
    end = time.monotonic() + 30
    while not os.path.exists(path):
        assert time.monotonic() < end, f"{path} did not come"
        time.sleep(0.01)


class Peer:
    """One connection; streams are told by their numbers."""

    def __init__(self, port, settings=b"", timeout=10):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if SECURE:
            self.socket = secured(self.socket)
        self.encoder, self.decoder = hpack.Encoder(), hpack.Decoder()
        self.decoder.max_header_list_size = 1 << 20
        self.received = b""
        self.next = 1
        # By stream: fields, body, trailers, whether it ended, and the code of a reset.
        self.heads, self.bodies, self.trailers, self.interim = {}, {}, {}, {}
        self.ended, self.resets = set(), {}
        self.goaway = None
        self.goaways = []
        self.pongs = 0
        # PINGs of the gateway's, and whether they are answered.
        self.pings, self.answers = 0, True
        # Streams in the order in which content of theirs came.
        self.order = []
        self.grants = True
        self.send(PREFACE + frame(SETTINGS, payload=settings))

    def send(self, octets):
        self.socket.sendall(octets)

    def fields(self, method="GET", path="/", **more):
        return [(":method", method), (":scheme", SCHEME), (":path", path), (":authority", more.get("host", "a.example"))]

    def head(self, fields, stream, end=True):
        return frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), stream, self.encoder.encode(fields, huffman=False))

    def claim(self):
        stream, self.next = self.next, self.next + 2
        return stream

    def request(self, method="GET", path="/", fields=(), end=True, body=None):
        stream = self.claim()
        octets = self.head(self.fields(method, path) + list(fields), stream, end and body is None)
        if body is not None:
            octets += frame(DATA, END_STREAM if end else 0, stream, body)
        self.send(octets)
        return stream

    def tunnel(self, path="/talk"):
        """Opens a WebSocket (RFC 8441)."""
        stream = self.claim()
        fields = [(":method", "CONNECT"), (":protocol", "websocket")] + self.fields(path=path)[1:]
        self.send(self.head(fields + [("sec-websocket-version", "13")], stream, end=False))
        while stream not in self.heads:
            self.step()
        assert self.heads[stream][":status"] == "200", self.heads[stream]
        return stream

    def talk(self, stream, octets):
        """Sends into a tunnel, and waits for the echo behind what came before."""
        wanted = self.bodies[stream] + octets
        self.send(frame(DATA, 0, stream, octets))
        while len(self.bodies[stream]) < len(wanted):
            self.step()
        assert self.bodies[stream] == wanted, self.bodies[stream]

    def frames(self):
        """The next frame; raises Closed at the end of the connection."""
        while True:
            if len(self.received) >= 9:
                length = int.from_bytes(self.received[:3], "big")
                if len(self.received) >= 9 + length:
                    kind, flags = self.received[3], self.received[4]
                    stream = int.from_bytes(self.received[5:9], "big")
                    payload = self.received[9 : 9 + length]
                    self.received = self.received[9 + length :]
                    return kind, flags, stream, payload
            try:
                more = self.socket.recv(65536)
            except ConnectionResetError:
                raise Closed
            if not more:
                raise Closed
            self.received += more

    def step(self):
        kind, flags, stream, payload = self.frames()
        if kind == HEADERS:
            assert flags & END_HEADERS
            fields = self.decoder.decode(payload)
            first = dict(fields).get(":status")
            if first and first.startswith("1"):
                self.interim.setdefault(stream, []).append(dict(fields))
            elif stream in self.heads:
                self.trailers[stream] = dict(fields)
            else:
                self.heads[stream] = dict(fields)
                self.bodies.setdefault(stream, b"")
        elif kind == DATA:
            self.bodies[stream] += payload
            if payload:
                self.order.append(stream)
            if payload and self.grants:
                self.grant(0, len(payload))
                if not flags & END_STREAM:
                    self.grant(stream, len(payload))
        elif kind == RST_STREAM:
            self.resets[stream] = int.from_bytes(payload, "big")
        elif kind == SETTINGS and not flags & ACK:
            self.try_send(frame(SETTINGS, ACK))
        elif kind == PING:
            if flags & ACK:
                self.pongs += 1
            else:
                self.pings += 1
                if self.answers:
                    self.try_send(frame(PING, ACK, payload=payload))
        elif kind == GOAWAY:
            self.goaway = int.from_bytes(payload[4:8], "big")
            self.goaways.append((int.from_bytes(payload[:4], "big"), self.goaway))
        if kind in (HEADERS, DATA) and flags & END_STREAM:
            self.ended.add(stream)

    def try_send(self, octets):
        try:
            self.send(octets)
        except OSError:
            pass

    def grant(self, stream, count):
        self.try_send(frame(WINDOW_UPDATE, stream=stream, payload=struct.pack(">I", count)))

    def finish(self, *streams):
        """Reads until these streams are over, one way or the other."""
        while any(stream not in self.ended and stream not in self.resets for stream in streams):
            self.step()

    def status(self, stream):
        self.finish(stream)
        assert stream in self.heads, f"stream {stream} was reset with {self.resets.get(stream)}"
        return int(self.heads[stream][":status"])

    def until_closed(self, seconds=8):
        """Reads until the gateway closes, and returns the code of its GOAWAY."""
        end = time.monotonic() + seconds
        try:
            while time.monotonic() < end:
                self.step()
        except (Closed, OSError):
            return self.goaway
        raise AssertionError("the connection is still open")

    def flood(self, octets, seconds=8):
        """Sends the same again and again until the gateway has had enough; returns how often it went."""
        end = time.monotonic() + seconds
        count = 0
        # Who is slow has not had enough: only the gateway's end of the connection ends a flood.
        self.socket.settimeout(seconds)
        try:
            while time.monotonic() < end:
                self.send(octets(count) if callable(octets) else octets)
                count += 1
                self.socket.setblocking(False)
                try:
                    while True:
                        self.step()
                except BlockingIOError:
                    pass
                finally:
                    self.socket.settimeout(seconds)
        except TimeoutError:
            raise AssertionError(f"after {count} the gateway neither read nor closed")
        except (Closed, OSError):
            return count
        raise AssertionError(f"the flood of {count} was borne")
