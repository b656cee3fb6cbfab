"""Handshakes that end in the middle of any flight.

    flights.py front VERSION PORT             a client that leaves after so many octets, sent or received
    flights.py behind VERSION CERT KEY FILE   servers that leave so; writes their ports to FILE and serves until killed
"""

import json
import os
import socket
import ssl
import struct
import sys
import threading

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nfine"
WHOLE = 1 << 20


class Ended(Exception):
    pass


class Side:
    """One side of a connection under TLS, which ends after so many octets of either direction."""

    def __init__(self, connection, context, may_send=WHOLE, may_read=WHOLE, **how):
        self.connection, self.may_send, self.may_read = connection, may_send, may_read
        self.sent = self.read_count = 0
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, **how)

    def flush(self):
        octets = self.outgoing.read()
        allowed = octets[: self.may_send - self.sent]
        self.connection.sendall(allowed)
        self.sent += len(allowed)
        if len(allowed) < len(octets) or self.sent == self.may_send:
            raise Ended

    def pull(self):
        octets = self.connection.recv(min(4096, self.may_read - self.read_count))
        if not octets:
            raise Ended
        self.read_count += len(octets)
        self.incoming.write(octets)
        if self.read_count == self.may_read:
            raise Ended

    def until_done(self, step, *arguments):
        while True:
            try:
                result = step(*arguments)
                self.flush()
                return result
            except ssl.SSLWantReadError:
                self.flush()
                self.pull()

    def end(self, hard):
        if hard:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


def client_context(version):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = context.maximum_version = VERSIONS[version]
    return context


def ask(version, port, hard=False, **limits):
    """One call; the side as it ended, and what came of it."""
    connection = socket.create_connection(("127.0.0.1", port), 10)
    side = Side(connection, client_context(version), server_hostname="localhost", **limits)
    answer = b""
    try:
        side.until_done(side.tls.do_handshake)
        side.until_done(side.tls.write, REQUEST)
        while b"\r\n\r\n" not in answer:
            answer += side.until_done(side.tls.read, 4096)
    except (Ended, OSError):
        pass
    side.end(hard)
    return side, answer


def front(version, port):
    whole, answer = ask(version, port)
    assert answer.startswith(b"HTTP/1.1 200"), answer
    cuts = 0
    for hard in (False, True):
        for octets in range(1, whole.sent, 9):
            ask(version, port, hard, may_send=octets)
            cuts += 1
        for octets in range(1, whole.read_count, 29):
            ask(version, port, hard, may_read=octets)
            cuts += 1
    assert cuts > 100, cuts
    _, answer = ask(version, port)
    assert answer.startswith(b"HTTP/1.1 200"), answer


def serve(listener, context, limits, hard):
    while True:
        connection, _ = listener.accept()
        connection.settimeout(10)
        side = Side(connection, context, server_side=True, **limits)
        try:
            side.until_done(side.tls.do_handshake)
            request = b""
            while b"\r\n\r\n" not in request:
                request += side.until_done(side.tls.read, 4096)
            side.until_done(side.tls.write, ANSWER)
        except (Ended, OSError):
            pass
        side.end(hard)


def listen(context, limits, hard):
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=serve, args=(listener, context, limits, hard), daemon=True).start()
    return listener.getsockname()[1]


def behind(version, certificate, key, file):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = VERSIONS[version]
    context.load_cert_chain(certificate, key)
    good = listen(context, {}, False)
    whole, answer = ask(version, good)
    assert answer.startswith(b"HTTP/1.1 200"), answer
    # What the client sent, the server may read. The gateway's own hello is not exactly as long: to be within both.
    ports = []
    for step in range(1, 20):
        for limits in ({"may_send": whole.read_count * step // 24}, {"may_read": whole.sent * step // 48}):
            ports.append(listen(context, limits, step % 2 == 0))
    with open(file + ".part", "w") as out:
        json.dump({"good": good, "cut": ports}, out)
    os.rename(file + ".part", file)
    threading.Event().wait()


if __name__ == "__main__":
    if sys.argv[1] == "front":
        front(sys.argv[2], int(sys.argv[3]))
    else:
        behind(*sys.argv[2:])
