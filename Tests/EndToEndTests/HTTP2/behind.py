"""A server of HTTP/2 behind the gateway. `behind.py CHECK GATEWAY-PORT ORIGIN-PORT` ends with 0 when all is well."""

import http.client
import sys
import threading
import time

import h2.settings
from origin import *

GATEWAY, PORT = int(sys.argv[2]), int(sys.argv[3])
FILES = sys.argv[4:6]


def ask(method="GET", path="/echo", body=None, fields={}, connection=None):
    peer = connection or http.client.HTTPConnection("127.0.0.1", GATEWAY, timeout=20)
    peer.request(method, path, body=body, headers=fields, encode_chunked=hasattr(body, "__next__"))
    answer = peer.getresponse()
    answer.content = answer.read()
    return answer


def wait(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def exchange(mode="h2c"):
    origin = Origin(mode, PORT, *FILES)
    peer = http.client.HTTPConnection("127.0.0.1", GATEWAY, timeout=20)
    for size in (0, 5, 70_000, 3 << 20):
        answer = ask("POST", body=b"x" * size, connection=peer)
        assert answer.status == 200 and answer.content == b"POST %d " % size, (size, answer.content)
    answer = ask("POST", body=iter([b"abc", b"defg"]), connection=peer)
    assert answer.content == b"POST 7 ", answer.content
    assert ask(path="/large", connection=peer).content == LARGE
    assert ask(path="/chunked", connection=peer).content == b"piece" * 1000
    assert ask(path="/none", connection=peer).status == 204
    answer = ask("HEAD", path="/large", connection=peer)
    assert answer.status == 200 and answer.getheader("content-length") == str(len(LARGE))
    answer = ask(path="/only", connection=peer)
    assert answer.getheader("grpc-status") == "5" and answer.getheader("content-length") == "0", answer.headers
    answer = ask(path="/fields?a=b", fields={"X-Mixed": "Case", "TE": "gzip"}, connection=peer)
    lines = answer.content.decode().split("\n")
    scheme = "https" if mode == "h2+tls" else "http"
    for line in (":method: GET", f":scheme: {scheme}", ":path: /fields?a=b", "x-mixed: Case", "via: 1.1 sluice"):
        assert line in lines, (line, lines)
    assert f":authority: 127.0.0.1:{GATEWAY}" in lines, lines
    for name in ("host", "connection", "te", "transfer-encoding"):
        assert not any(line.startswith(name + ":") for line in lines), lines
    assert answer.headers.get_all("set-cookie") == ["a=1", "b=2"]
    assert origin.connections == 1, origin.connections


def tls():
    exchange("h2+tls")


def interim():
    Origin("h2c", PORT)
    received = raw(b"GET /interim HTTP/1.1\r\nHost: a\r\n\r\n", b"final")
    assert received.startswith(b"HTTP/1.1 103 ") and b"link: </a.css>\r\n" in received, received


def raw(request, end):
    """What comes until this has come."""
    with socket.create_connection(("127.0.0.1", GATEWAY), 20) as sock:
        sock.sendall(request)
        received = b""
        while not received.endswith(end):
            octets = sock.recv(65536)
            assert octets, received
            received += octets
    return received


def trailers():
    origin = Origin("h2c", PORT)
    head = b"POST /trailers HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    received = raw(head + b"3\r\nabc\r\n0\r\nx-check: 3\r\n\r\n", b"x-more: yes\r\n\r\n")
    assert b"x-sum: 5\r\n" in received, received
    assert origin.requests[0].trailers == [("x-check", "3")], origin.requests[0].trailers


def sized():
    """A length that is known takes no trailers away that are announced, or that gRPC has."""
    Origin("h2c", PORT)
    for kind in (b"", b"X-Kind: application/grpc+proto\r\n"):
        head = b"GET /sized-trailers HTTP/1.1\r\nHost: a\r\n" + kind
        received = raw(head + b"Connection: close\r\n\r\n", b"\r\n\r\n5\r\nhello\r\n0\r\nx-sum: 0 []\r\n\r\n")
        assert b"content-length" not in received.lower(), received


def sustained():
    """More answers than the connection's window has room for: what comes with a stream's end is granted anew too."""
    origin = Origin("h2c", PORT)
    peer = http.client.HTTPConnection("127.0.0.1", GATEWAY, timeout=20)
    for number in range(160):
        answer = ask(path="/middling", connection=peer)
        assert len(answer.content) == 100_000, (number, answer.status)
    assert origin.connections == 1, origin.connections
    window = origin.open[0].peer.outbound_flow_control_window
    assert window > 6_000_000, window


def many():
    """Many calls at a time share few connections; those beyond the target's limit get another."""
    origin = Origin("h2c", PORT, settings={h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 10})
    failures = []

    def call(number):
        answer = ask("POST", body=b"x" * number)
        if answer.content != b"POST %d " % number:
            failures.append(answer.content)

    ask()
    threads = [threading.Thread(target=call, args=(number,)) for number in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[:3]
    assert 1 <= origin.connections <= 11, origin.connections


def refused():
    """What the target says it has done nothing with is sent again, whatever its method."""
    origin = Origin("h2c", PORT)
    ask()
    for path in (b"/refuse-once", b"/goaway-once"):
        # In one piece: a body that comes later is not kept, and cannot be sent again.
        received = raw(b"POST " + path + b" HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nonce", b"POST 4 ")
        assert received.startswith(b"HTTP/1.1 200 "), received
    assert origin.connections == 2, origin.connections


def goaway():
    """A target that goes away ends what it took, and a new connection serves what comes later."""
    origin = Origin("h2c", PORT)
    for _ in range(3):
        answer = ask(path="/goaway-after")
        assert answer.content.startswith(b"GET 0"), answer.content
    assert origin.connections == 3, origin.connections


def reset():
    origin = Origin("h2c", PORT)
    answer = ask("POST", "/reset", body=b"abc")
    assert answer.status == 502 and b"upstream_reset" in answer.content, answer.content
    try:
        answer = ask(path="/broken")
        raise AssertionError(f"{answer.status} {answer.content}")
    except (http.client.IncompleteRead, ConnectionError):
        pass


def cancel():
    """A client that leaves ends its stream, and no other."""
    origin = Origin("h2c", PORT)
    ask()
    sock = socket.create_connection(("127.0.0.1", GATEWAY), 20)
    sock.sendall(b"GET /hang HTTP/1.1\r\nHost: a\r\n\r\n")
    wait(lambda: any(request.path == "/hang" for request in origin.requests))
    sock.close()
    wait(lambda: origin.resets == [int(h2.errors.ErrorCodes.CANCEL)])
    assert ask().status == 200
    assert origin.connections == 1


def early():
    Origin("h2c", PORT)
    received = raw(b"POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nabc", b"too soon")
    assert received.startswith(b"HTTP/1.1 413 "), received
    assert ask().status == 200


def slow():
    """A client that does not read stops its stream, and no other."""
    origin = Origin("h2c", PORT)
    sock = socket.create_connection(("127.0.0.1", GATEWAY), 20)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.sendall(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
    wait(lambda: origin.requests)
    for _ in range(5):
        assert ask(path="/large").content == LARGE
    assert origin.connections == 1
    assert any(len(body) > len(LARGE) // 2 for body, _ in origin.open[0].unsent.values()), "it was read ahead"


def http1():
    """A target that speaks HTTP/1.1 only."""
    Origin("h1+tls" if FILES else "h1", PORT, *FILES)
    answer = ask()
    assert answer.status == 502 and b"upstream_not_http2" in answer.content, answer.content


def probed():
    """It comes back by a probe that asks in HTTP/2."""
    origin = Origin("h2c", PORT)
    wait(lambda: ask().status == 200)
    assert any(dict(request.fields).get("user-agent") == "sluice" for request in origin.requests)


def refuses():
    """Nobody listens."""
    answer = ask()
    assert answer.status == 502 and b"connect_failed" in answer.content, answer.content


globals()[sys.argv[1]]()
