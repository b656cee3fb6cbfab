"""Tunnels over HTTP/2 that somebody else ends. `tunnels.py CHECK PORT ORIGIN-PORT [FILE] [tls]` ends with 0 when all is well."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "HTTP2"))
from origin import Origin
from peer import *

PORT = int(sys.argv[2])
ORIGIN = Origin("h1", int(sys.argv[3]))
EMPTY = b"\x81\x80\0\0\0\0"
AWAY = b"\x88\x02\x03\xe9"


def idle():
    """A silent tunnel is closed with 1001; the connection goes on."""
    peer = Peer(PORT)
    stream = peer.tunnel()
    peer.talk(stream, EMPTY)
    while not peer.bodies[stream].endswith(AWAY):
        peer.step()
    peer.finish(stream)
    assert peer.bodies[stream] == EMPTY + AWAY
    other = peer.tunnel()
    peer.talk(other, EMPTY)
    peer.send(frame(RST_STREAM, 0, other, struct.pack(">I", CANCEL)))


def drain():
    """A reload does not touch a tunnel; a stop lets it go on until the limit, and says 1001."""
    peer = Peer(PORT)
    stream = peer.tunnel()
    peer.talk(stream, EMPTY)
    print("open", flush=True)
    await_file(sys.argv[4])
    peer.talk(stream, EMPTY)
    assert peer.goaway is None
    print("reloaded", flush=True)
    while not peer.goaways:
        peer.step()
    peer.talk(stream, EMPTY)
    assert peer.until_closed() == NO_ERROR
    assert peer.bodies[stream] == EMPTY * 3 + AWAY, peer.bodies[stream]


def upgrade():
    """A stream, a tunnel and a half-sent upload, while another process takes the gateway's place."""
    peer = Peer(PORT, timeout=20)
    slow = peer.request(path="/poll")
    tunnel = peer.tunnel()
    peer.talk(tunnel, EMPTY)
    upload = peer.request("POST", "/echo", [("content-length", "10")], end=False)
    peer.send(frame(DATA, 0, upload, b"hello"))
    print("asked", flush=True)
    while not peer.goaways:
        peer.step()
    await_file(sys.argv[4])
    # The new process serves by now, and this one goes on with what it has.
    another = Peer(PORT, timeout=20)
    assert another.status(another.request(path="/new")) == 203
    peer.send(frame(DATA, END_STREAM, upload, b"world"))
    ORIGIN.pieces.put(b"late")
    assert peer.status(slow) == 200 and peer.bodies[slow] == b"late"
    assert peer.status(upload) == 200 and peer.bodies[upload] == b"POST 10 ", peer.bodies[upload]
    peer.talk(tunnel, EMPTY)
    # The tunnel lasts until the old process waits no longer.
    assert peer.until_closed(20) == NO_ERROR
    assert peer.bodies[tunnel] == EMPTY * 2 + AWAY, peer.bodies[tunnel]
    assert another.status(another.request(path="/new")) == 203


globals()[sys.argv[1]]()
print("ok")
