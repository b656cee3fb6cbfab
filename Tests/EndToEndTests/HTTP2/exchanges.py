"""What clients of HTTP/2 do every day. `exchanges.py CHECK PORT` ends with 0 when the gateway does its part."""

import asyncio
import sys
import time

import h2.config
import h2.connection
import h2.events
import httpx
from peer import *

PORT = int(sys.argv[2])
URL = f"http://127.0.0.1:{PORT}"


def client():
    return httpx.Client(http1=False, http2=True, timeout=10)


def get():
    with client() as http:
        for number in range(3):
            answer = http.get(f"{URL}/echo?n={number}")
            assert answer.http_version == "HTTP/2" and answer.status_code == 200
            assert answer.text.startswith(f"GET /echo?n={number}\n"), answer.text
            assert "connection" not in answer.headers and "keep-alive" not in answer.headers


def many():
    async def run():
        async with httpx.AsyncClient(http1=False, http2=True, timeout=20) as http:
            answers = await asyncio.gather(*(http.get(f"{URL}/echo?n={n}") for n in range(100)))
        for number, answer in enumerate(answers):
            assert answer.text.startswith(f"GET /echo?n={number}\n"), answer.text

    asyncio.run(run())


def bodies():
    with client() as http:
        for size in (0, 1, 100, 70_000, 1 << 20):
            answer = http.post(f"{URL}/echo", content=b"x" * size)
            assert answer.text.endswith(f"\n{size}"), answer.text[-100:]

            def pieces():
                for start in range(0, size, 10_000):
                    yield b"x" * min(10_000, size - start)

            answer = http.post(f"{URL}/echo", content=pieces())
            assert answer.text.endswith(f"\n{size}"), answer.text[-100:]


def library():
    """The whole exchange by the h2 library, which checks what it is sent."""
    sock = socket.create_connection(("127.0.0.1", PORT), 10)
    peer = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    peer.initiate_connection()
    peer.send_headers(1, Peer.fields(None, "POST", "/trailers"))
    peer.send_data(1, b"hello")
    peer.send_headers(1, [("x-checksum", "5")], end_stream=True)
    sock.sendall(peer.data_to_send())
    trailers, body = None, b""
    while trailers is None:
        for event in peer.receive_data(sock.recv(65536)):
            if isinstance(event, h2.events.TrailersReceived):
                trailers = dict(event.headers)
            elif isinstance(event, h2.events.DataReceived):
                body += event.data
                peer.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        sock.sendall(peer.data_to_send())
    assert trailers in ({"x-sum": "25"}, {b"x-sum": b"25"}), trailers
    assert body == b"hello" * 5, body


def empty():
    peer = Peer(PORT)
    for method, path, status in (("HEAD", "/echo", 200), ("GET", "/204", 204), ("GET", "/304", 304)):
        stream = peer.request(method, path)
        assert peer.status(stream) == status and peer.bodies[stream] == b""


def interim():
    peer = Peer(PORT)
    stream = peer.request(path="/early-hints")
    assert peer.status(stream) == 200
    assert peer.interim[stream] == [{":status": "103", "link": "</a.css>; rel=preload"}], peer.interim


def cookies():
    peer = Peer(PORT)
    crumbs = [("cookie", "a=1"), ("accept", "*/*"), ("cookie", "b=2"), ("cookie", "c=3")]
    stream = peer.request(path="/fields", fields=crumbs)
    assert peer.status(stream) == 200
    lines = peer.bodies[stream].decode().split("\n")
    assert "cookie: a=1; b=2; c=3" in lines, lines
    assert "Host: a.example" in lines and "Via: 2.0 sluice" in lines, lines


def refusals():
    """What would close a connection of HTTP/1.1 ends a stream only."""
    peer = Peer(PORT)
    stream = peer.request("POST", "/echo", [("content-length", "99999999")], end=False)
    assert peer.status(stream) == 413
    assert "connection" not in peer.heads[stream]
    stream = peer.request(path="/%zz")
    assert peer.status(stream) == 400
    stream = peer.request(path="/echo", fields=[("expect", "miracles")])
    assert peer.status(stream) == 417
    assert peer.status(peer.request(path="/echo")) == 200


def windows():
    """A stream that is not read keeps no other from its answer, and goes on when it is."""
    peer = Peer(PORT)
    peer.grants = False
    slow = peer.request(path="/large")
    while len(peer.bodies.get(slow, b"")) < 65535:
        peer.step()
    peer.grant(0, 1 << 20)
    assert peer.status(peer.request(path="/echo")) == 200
    assert len(peer.bodies[slow]) == 65535
    peer.grants = True
    peer.grant(slow, 1 << 20)
    peer.grant(0, 1 << 20)
    peer.finish(slow)
    assert len(peer.bodies[slow]) == 10 << 20


def cancel():
    peer = Peer(PORT)
    stream = peer.request(path="/never")
    time.sleep(0.2)
    peer.send(frame(RST_STREAM, stream=stream, payload=struct.pack(">I", CANCEL)))
    assert peer.status(peer.request(path="/echo")) == 200


def abandoned():
    """Uploads that are cancelled while they wait for a connection take nothing of the window for good."""
    sock = socket.create_connection(("127.0.0.1", PORT), 10)
    peer = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    peer.initiate_connection()

    def step():
        sock.sendall(peer.data_to_send())
        peer.receive_data(sock.recv(65536))
        sock.sendall(peer.data_to_send())

    while peer.outbound_flow_control_window < 1 << 20:
        step()
    whole = peer.outbound_flow_control_window
    # The one connection that there may be.
    peer.send_headers(1, Peer.fields(None, "GET", "/never"), end_stream=True)
    sock.sendall(peer.data_to_send())
    time.sleep(0.2)
    for _ in range(8):
        stream = peer.get_next_available_stream_id()
        peer.send_headers(stream, Peer.fields(None, "POST", "/echo"))
        for _ in range(200_000 // 16_000):
            peer.send_data(stream, b"x" * 16_000)
        sock.sendall(peer.data_to_send())
        time.sleep(0.05)
        peer.reset_stream(stream, CANCEL)
        while peer.outbound_flow_control_window < whole // 2:
            step()


def sized():
    """A request of a known length keeps the trailers that it announces."""
    peer = Peer(PORT)
    stream = peer.claim()
    fields = peer.fields("POST", "/fields") + [("content-length", "5"), ("trailer", "x-check")]
    trailers = frame(HEADERS, END_HEADERS | END_STREAM, stream, peer.encoder.encode([("x-check", "1")], huffman=False))
    peer.send(peer.head(fields, stream, end=False) + frame(DATA, 0, stream, b"hello") + trailers)
    assert peer.status(stream) == 200
    lines = peer.bodies[stream].decode().lower().split("\n")
    assert "transfer-encoding: chunked" in lines and "trailer of x-check: 1" in lines, lines


def drain():
    """The gateway is told to end while an answer is awaited; another stream that comes just then is still served."""
    peer = Peer(PORT)
    stream = peer.request(path="/slow")
    print("asked", flush=True)
    while not peer.goaways:
        peer.step()
    late = peer.request(path="/echo")
    assert peer.status(late) == 200
    assert peer.status(stream) == 200
    assert peer.until_closed() == NO_ERROR
    assert peer.goaways[0][0] == 2**31 - 1 and peer.goaways[-1][0] >= late, peer.goaways


def split():
    """The preface and a request, octet by octet."""
    peer = Peer.__new__(Peer)
    octets = []
    peer.send = octets.append
    real = socket.create_connection
    socket.create_connection = lambda *_: real(("127.0.0.1", PORT), 10)
    peer.__init__(PORT)
    del peer.send
    octets.append(peer.head(peer.fields(path="/echo"), 1))
    for octet in b"".join(octets):
        peer.send(bytes([octet]))
        time.sleep(0.002)
    assert peer.status(1) == 200


def idle():
    """A connection that rests is closed politely."""
    peer = Peer(PORT)
    assert peer.status(peer.request(path="/echo")) == 200
    assert peer.until_closed() == NO_ERROR



def unanswered():
    """Who answers no PING is given up."""
    peer = Peer(PORT)
    peer.answers = False
    stream = peer.request(path="/never")
    peer.until_closed()
    assert peer.pings == 1 and stream not in peer.heads, (peer.pings, peer.heads)


def answered():
    """Who answers them may wait for as long as it likes."""
    peer = Peer(PORT)
    stream = peer.request(path="/never")
    while peer.pings < 2:
        peer.step()
    assert peer.status(peer.request(path="/echo")) == 200
    assert stream not in peer.resets and peer.goaway is None


def urgency():
    """Answers that wait for the connection's window go in the order of their urgency (RFC 9218)."""
    peer = Peer(PORT, settings=struct.pack(">HI", 4, 1 << 20))
    peer.grants = False
    filler = peer.request(path="/large")
    while len(peer.bodies.get(filler, b"")) < 65535:
        peer.step()
    # One is told to be urgent by its field, another by a frame that changes its mind; u=3 is what says nothing.
    wanted = {7: "u=7", 3: None, 0: "u=0", 5: "u=5"}
    streams = {
        u: peer.request(path=f"/echo?{u}", fields=[("priority", said)] if said else []) for u, said in wanted.items()}
    later = peer.request(path="/echo?later", fields=[("priority", "u=6")])
    peer.send(frame(0x10, 0, 0, struct.pack(">I", later) + b"u=1"))
    while any(stream not in peer.heads for stream in [*streams.values(), later]):
        peer.step()
    peer.send(frame(RST_STREAM, 0, filler, struct.pack(">I", CANCEL)))
    peer.order.clear()
    peer.grants = True
    peer.grant(0, 1 << 20)
    peer.finish(*streams.values(), later)
    assert peer.order == [streams[0], later, streams[3], streams[5], streams[7]], (peer.order, streams, later)


def reload():
    """Streams in flight while the file changes: they end as they began, and later ones are served by the new file.

    Then the listener goes: GOAWAY, and what is in flight ends.
    """
    peer = Peer(PORT, timeout=20)
    slow = [peer.request(path="/slow") for _ in range(3)]
    upload = peer.request("POST", "/echo", [("content-length", "10")], end=False)
    peer.send(frame(DATA, 0, upload, b"hello"))
    print("asked", flush=True)
    await_file(sys.argv[3])
    assert peer.status(peer.request(path="/new")) == 203
    peer.send(frame(DATA, END_STREAM, upload, b"world"))
    assert [peer.status(stream) for stream in slow + [upload]] == [200] * 4
    assert peer.bodies[upload].endswith(b"\n10") and peer.goaway is None
    last = peer.request(path="/slow")
    print("again", flush=True)
    while not peer.goaways:
        peer.step()
    late = peer.request(path="/new")
    assert peer.status(late) == 203 and peer.status(last) == 200
    assert peer.until_closed() == NO_ERROR
    assert peer.goaways[0][0] == 2**31 - 1 and peer.goaways[-1][0] >= late, peer.goaways


if __name__ == "__main__":
    globals()[sys.argv[1]]()
    print("ok")
