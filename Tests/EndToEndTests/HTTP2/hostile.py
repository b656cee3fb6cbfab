"""What attackers do. `hostile.py CHECK PORT [tls]` ends with 0 when the gateway defends itself as it should."""

import sys
import threading

from peer import *

PORT = int(sys.argv[2])


def neighbour(until, slowest):
    """A client that means well, and what it has to wait."""
    peer = Peer(PORT)
    while not (slowest and until.is_set()):
        began = time.monotonic()
        assert peer.status(peer.request(path="/echo")) == 200
        slowest.append(time.monotonic() - began)
        time.sleep(0.01)


def beside_neighbour(attack):
    until, slowest = threading.Event(), []
    thread = threading.Thread(target=neighbour, args=(until, slowest))
    thread.start()
    try:
        attack()
    finally:
        until.set()
        thread.join()
    slowest.sort()
    assert slowest, "the neighbour was not served"


def cut(flood):
    """A flood ends with GOAWAY and ENHANCE_YOUR_CALM, or with the connection."""

    def attack():
        peer = Peer(PORT)
        peer.flood(lambda count: flood(peer, count))
        assert peer.goaway in (CALM, None), peer.goaway

    beside_neighbour(attack)


def rapid_reset():
    def once(peer, _):
        stream = peer.claim()
        return peer.head(peer.fields(path="/never"), stream) + frame(RST_STREAM, 0, stream, struct.pack(">I", CANCEL))

    cut(once)


def made_to_reset():
    """Streams that we must reset: windows that grow beyond their limit (CVE-2025-8671)."""

    peer = Peer(PORT)
    try:
        for _ in range(2000):
            stream = peer.request(path="/never")
            peer.grant(stream, 2**31 - 1)
            peer.finish(stream)
    except (Closed, OSError):
        pass
    assert peer.goaway == CALM and len(peer.resets) < 300, (peer.goaway, len(peer.resets))


def ping_flood():
    cut(lambda peer, _: frame(PING, payload=b"12345678") * 10)


def settings_flood():
    cut(lambda peer, _: frame(SETTINGS) * 10)


def priority_flood():
    cut(lambda peer, _: frame(PRIORITY, 0, 1, b"\0\0\0\0\x10") * 10)


def unknown_flood():
    cut(lambda peer, _: frame(0xFA, 0, 0, b"") * 10)


def window_flood():
    cut(lambda peer, _: frame(WINDOW_UPDATE, 0, 0, b"\0\0\0\1") * 10)


def empty_data_flood():
    def once(peer, count):
        if count == 0:
            peer.stream = peer.claim()
            return peer.head(peer.fields("POST", "/never"), peer.stream, end=False)
        return frame(DATA, 0, peer.stream) * 10

    cut(once)


def padded_data_flood():
    """Content that is all padding."""

    def once(peer, count):
        if count == 0:
            peer.stream = peer.claim()
            return peer.head(peer.fields("POST", "/never"), peer.stream, end=False)
        return frame(DATA, PADDED, peer.stream, b"\3\0\0\0") * 10

    cut(once)


def alternative_flood():
    """ALTSVC, which servers send and clients do not."""
    cut(lambda peer, _: frame(0x0A, 0, 0, b"\0\1ah2=x") * 10)


def origin_flood():
    cut(lambda peer, _: frame(0x0C, 0, 0, b"\0\1a") * 10)


def priority_update_flood():
    cut(lambda peer, _: frame(0x10, 0, 0, b"\0\0\0\1u=1") * 10)


def after_the_end(octets):
    """Frames of a stream that is over."""

    def once(peer, count):
        if count == 0:
            peer.stream = peer.request(path="/echo")
            peer.finish(peer.stream)
        return octets(peer) * 10

    cut(once)


def late_empty_data_flood():
    after_the_end(lambda peer: frame(DATA, 0, peer.stream))


def late_head_flood():
    after_the_end(lambda peer: peer.head([("x-a", "b")], peer.stream))


def late_hpack_bomb():
    """The same as below in heads of a stream that is over, which nobody hears of."""
    peer = Peer(PORT)
    stream = peer.claim()
    head = b"\x82\x86\x84\x41\x09a.example" + b"\x40\x01x" + b"\x7f\xa1\x1e" + b"b" * 4000
    peer.send(frame(HEADERS, END_HEADERS | END_STREAM, stream, head))
    assert peer.status(stream) == 200
    sent = peer.flood(frame(HEADERS, END_HEADERS | END_STREAM, stream, b"\xbe" * 16_000))
    assert peer.goaway in (CALM, None), peer.goaway
    assert sent < 500, sent


def endless_trailers():
    """Trailers that do not end their stream, each of which has it reset."""
    peer = Peer(PORT)
    try:
        for _ in range(2000):
            stream = peer.request("POST", "/never", end=False)
            peer.send(peer.head([("x-a", "b")], stream, end=False))
            peer.finish(stream)
    except (Closed, OSError):
        pass
    assert peer.goaway == CALM and len(peer.resets) < 300, (peer.goaway, len(peer.resets))


def unfinished_head():
    """A head that never ends is given as long as any, and its connection is closed then."""
    for flags, part in ((0, slice(None)), (END_HEADERS, slice(-1))):
        peer = Peer(PORT)
        assert peer.status(peer.request(path="/echo")) == 200
        octets = frame(HEADERS, flags | END_STREAM, peer.claim(), peer.encoder.encode(peer.fields()))
        peer.send(octets[part])
        assert peer.until_closed() == CALM, peer.goaway


def slow_heads():
    """Heads that each come in time, one always behind the other."""
    peer = Peer(PORT)
    octets = [peer.head(peer.fields(path="/echo"), peer.claim()) for _ in range(6)]
    middle = len(octets[0]) // 2
    peer.send(octets[0][:middle])
    for this, following in zip(octets, octets[1:] + [b""]):
        time.sleep(0.5)
        peer.send(this[middle:] + following[:middle])
    for stream in range(1, 13, 2):
        assert peer.status(stream) == 200


def dribble():
    """Windows of a few octets, opened again and again: each time they have us make a frame of hardly anything."""

    def attack():
        peer = Peer(PORT, settings=struct.pack(">HI", 4, 0))
        stream = peer.request(path="/large")
        peer.grants = False
        peer.flood(frame(WINDOW_UPDATE, 0, stream, b"\0\0\0\1") * 10)
        assert peer.goaway in (CALM, None), peer.goaway

    beside_neighbour(attack)


def ping_flood_unread():
    """PINGs of a client that never reads the answers: what waits for it is bounded."""
    peer = Peer(PORT)
    peer.socket.settimeout(2)
    try:
        while True:
            peer.send(frame(PING, payload=b"12345678") * 100)
    except OSError:
        pass


def continuation_flood():
    peer = Peer(PORT)
    line = b"\0\1a" + b"\x7f\x81\x1f" + b"b" * 4000
    peer.send(frame(HEADERS, END_STREAM, 1, peer.encoder.encode(peer.fields())))
    sent = peer.flood(frame(CONTINUATION, 0, 1, line))
    assert sent < 2000, sent


def continuation_burst():
    """More than one read takes in, all of it there before the first is read."""
    peer = Peer(PORT)
    line = b"\0\1a" + b"\x7f\x81\x1f" + b"b" * 4000
    head = frame(HEADERS, END_STREAM, 1, peer.encoder.encode(peer.fields()))
    try:
        peer.send(head + frame(CONTINUATION, 0, 1, line) * 100)
    except OSError:
        pass
    peer.until_closed()


def empty_continuation_flood():
    peer = Peer(PORT)
    peer.send(frame(HEADERS, END_STREAM, 1, peer.encoder.encode(peer.fields())))
    sent = peer.flood(frame(CONTINUATION, 0, 1, b""))
    assert sent < 20_000, sent


def large_head():
    peer = Peer(PORT)
    stream = peer.request(path="/echo", fields=[("x-repeated", "v" * 200)] * 90)
    assert peer.status(stream) == 431, peer.heads
    stream = peer.request(path="/echo", fields=[(f"x-{n}", "v") for n in range(150)])
    assert peer.status(stream) == 431
    assert peer.status(peer.request(path="/echo")) == 200


def crumbs():
    """Many small cookies, which become one line that is shorter than they."""
    peer = Peer(PORT)
    stream = peer.request(path="/echo", fields=[("cookie", "a=b")] * 2000)
    assert peer.status(stream) == 431
    assert peer.status(peer.request(path="/echo")) == 200


def hpack_bomb():
    """One entry of four kilobytes in the table, named thousands of times by one octet each."""
    peer = Peer(PORT)
    head = b"\x82\x86\x84\x41\x09a.example"
    entry = b"\x40\x01x" + b"\x7f\x81\x1f" + b"b" * 4096
    stream = peer.claim()
    peer.send(frame(HEADERS, END_HEADERS | END_STREAM, stream, head + entry[:3] + b"\x7f\xa1\x1e" + b"b" * 4000))
    assert peer.status(stream) == 200
    for _ in range(3):
        stream = peer.claim()
        peer.send(frame(HEADERS, END_HEADERS | END_STREAM, stream, b"\x82\x86\x84\xbe" + b"\xbe" * 50))
        peer.finish(stream)
        assert peer.resets.get(stream) is not None or peer.status(stream) == 431
    assert peer.goaway is None, peer.goaway
    bomb = b"\x82\x86\x84\xbe" + b"\xbe" * 16_000
    peer.flood(lambda _: frame(HEADERS, END_HEADERS | END_STREAM, peer.claim(), bomb))
    assert peer.goaway in (CALM, None), peer.goaway


def concurrency():
    # Who knows the limit and breaks it is cut off; who cannot know it yet is refused what is too much.
    peer = Peer(PORT)
    peer.step()
    for _ in range(140):
        peer.try_send(peer.head(peer.fields(path="/never"), peer.claim()))
    assert peer.until_closed() == PROTOCOL_ERROR
    peer = Peer(PORT)
    streams = [peer.request(path="/never") for _ in range(140)]
    peer.finish(*streams[128:])
    assert all(peer.resets[stream] == REFUSED_STREAM for stream in streams[128:]), peer.resets
    assert not any(stream in peer.resets for stream in streams[:128])


def stall():
    """A window that never opens: the stream ends by its timeout, and the connection goes on."""
    peer = Peer(PORT, settings=struct.pack(">HI", 4, 0))
    stream = peer.request(path="/large")
    peer.finish(stream)
    assert stream in peer.resets
    assert peer.status(peer.request("HEAD", "/echo")) == 200


def stall_connection():
    """Streams may have all they want, and the connection's window is never opened."""
    peer = Peer(PORT, settings=struct.pack(">HI", 4, 2**31 - 1))
    peer.grants = False
    stream = peer.request(path="/large")
    peer.finish(stream)
    assert stream in peer.resets and len(peer.bodies[stream]) == 65_535, len(peer.bodies[stream])
    assert peer.status(peer.request("HEAD", "/echo")) == 200


def unread():
    """A client that reads nothing at all while much is sent to it."""
    peer = Peer(PORT, settings=struct.pack(">HI", 4, 2**31 - 1))
    peer.grant(0, 2**31 - 65536)
    peer.request(path="/large")
    peer.request(path="/large")
    time.sleep(3)
    try:
        while True:
            peer.step()
    except (Closed, OSError):
        pass


BASE = [(b":method", b"POST"), (b":scheme", SCHEME.encode()), (b":path", b"/echo"), (b":authority", b"a.example")]


def replaced(name, value):
    return [(n, value if n == name else v) for n, v in BASE]


FORBIDDEN = {
    "connection": BASE + [(b"connection", b"close")],
    "keep-alive": BASE + [(b"keep-alive", b"300")],
    "proxy-connection": BASE + [(b"proxy-connection", b"keep-alive")],
    "transfer-encoding": BASE + [(b"transfer-encoding", b"chunked")],
    "upgrade": BASE + [(b"upgrade", b"h2c")],
    "te": BASE + [(b"te", b"gzip")],
    "upper-case": BASE + [(b"X-Upper", b"a")],
    "no path": BASE[:2] + BASE[3:],
    "empty path": replaced(b":path", b""),
    "no method": BASE[1:],
    "no scheme": BASE[:1] + BASE[2:],
    "two paths": BASE + [(b":path", b"/other")],
    "pseudo-field behind": BASE[:3] + [(b"accept", b"*/*")] + BASE[3:],
    "unknown pseudo-field": BASE + [(b":other", b"a")],
    "answer's pseudo-field": BASE + [(b":status", b"200")],
    "space in the path": replaced(b":path", b"/a HTTP/1.1"),
    "line break in the path": replaced(b":path", b"/a\r\nx: y"),
    "line break in a value": BASE + [(b"x-a", b"a\r\nx-b: c")],
    "nul in a value": BASE + [(b"x-a", b"a\0b")],
    "colon in a name": BASE + [(b"x-a:b", b"c")],
    "space in a name": BASE + [(b"x a", b"c")],
    "empty name": BASE + [(b"", b"c")],
    "space in the method": replaced(b":method", b"GET /other"),
    "two hosts": BASE + [(b"host", b"b.example")],
    "path with a fragment": replaced(b":path", b"/a#b"),
    "user in the authority": replaced(b":authority", b"user@a.example"),
    "two lengths": BASE + [(b"content-length", b"5"), (b"content-length", b"6")],
    "no length": BASE + [(b"content-length", b"five")],
}


def plain(fields):
    """Literal lines, which no encoder changes."""
    octets = b""
    for name, value in fields:
        octets += b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value
    return octets


def forbidden():
    peer = Peer(PORT)
    for what, fields in FORBIDDEN.items():
        stream = peer.claim()
        peer.send(frame(HEADERS, END_HEADERS, stream, plain(fields)) + frame(DATA, END_STREAM, stream, b"hello"))
        peer.finish(stream)
        refused = peer.resets.get(stream) == PROTOCOL_ERROR or peer.heads.get(stream, {}).get(":status") == "400"
        assert refused, f"{what}: {peer.resets.get(stream)} {peer.heads.get(stream)}"
    assert peer.goaway is None


def lengths():
    """Content that is not as long as the head said."""
    peer = Peer(PORT)
    for declared, content in ((4, b"hello"), (6, b"hello"), (1, b"")):
        stream = peer.claim()
        head = peer.head(peer.fields("POST", "/echo") + [("content-length", str(declared))], stream, end=not content)
        peer.send(head + (frame(DATA, END_STREAM, stream, content) if content else b""))
        peer.finish(stream)
        assert peer.resets.get(stream) == PROTOCOL_ERROR, (declared, peer.resets, peer.heads)


def nonsense():
    """No HTTP/2 behind the preface."""
    peer = Peer(PORT)
    peer.send(b"GET / HTTP/1.1\r\n\r\n" * 100)
    peer.until_closed()


if __name__ == "__main__":
    globals()[sys.argv[1]]()
    print("ok")
