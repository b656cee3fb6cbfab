"""Pieces of an answer, one by one. `streams.py CHECK GATEWAY-PORT ORIGIN-PORT FRONT BEHIND` ends with 0 when all is well.

FRONT is h1 or h2, BEHIND is h1 or h2c. The next piece is given to the origin only when the one before has arrived, so
that nothing can have been held back.
"""

import http.client
import sys
import time

from origin import Origin
from peer import Peer

GATEWAY, PORT, FRONT, BEHIND = int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5]
EVENTS = 20


class Plain:
    """A client of HTTP/1.1."""

    def __init__(self, path):
        self.peer = http.client.HTTPConnection("127.0.0.1", GATEWAY, timeout=20)
        self.peer.request("GET", path)
        self.answer = None

    def take(self, count):
        self.answer = self.answer or self.peer.getresponse()
        return self.answer.read(count)

    def rest(self):
        return self.answer.read()


class Framed:
    """A client of HTTP/2."""

    def __init__(self, path):
        self.peer = Peer(GATEWAY, timeout=20)
        self.stream = self.peer.request(path=path)
        self.taken = 0

    def take(self, count):
        while len(self.peer.bodies.get(self.stream, b"")) < self.taken + count:
            self.peer.step()
        self.taken += count
        return self.peer.bodies[self.stream][self.taken - count : self.taken]

    def rest(self):
        assert self.peer.status(self.stream) == 200
        return self.peer.bodies[self.stream][self.taken :]


def ask(path):
    return Framed(path) if FRONT == "h2" else Plain(path)


def events():
    origin = Origin(BEHIND, PORT)
    client = ask("/events")
    for number in range(EVENTS):
        event = b"data: %d\n\n" % number
        origin.pieces.put(event)
        assert client.take(len(event)) == event
    origin.pieces.put(None)
    assert client.rest() == b""


def poll():
    """An answer that is long in coming."""
    origin = Origin(BEHIND, PORT)
    client = ask("/poll")
    time.sleep(0.7)
    origin.pieces.put(b"news")
    assert client.take(4) == b"news"
    assert client.rest() == b""


globals()[sys.argv[1]]()
