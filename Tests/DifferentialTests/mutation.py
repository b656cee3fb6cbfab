"""Messages of HTTP/1.1, and what damages them."""

import random

REQUESTS = [
    b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n",
    b"GET /a/b?c=d HTTP/1.1\r\nHost: a.example:8080\r\nUser-Agent: x/1 (y; z)\r\nAccept: */*\r\nCookie: a=b; c=d\r\n\r\n",
    b"HEAD /x HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
    b"GET / HTTP/1.0\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"GET http://a.example/x?y HTTP/1.1\r\nHost: a.example\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
    b"PUT /f HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\nhello world",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\nTrailer: T\r\n\r\na;x=y\r\n0123456789\r\n1\r\nz\r\n0\r\nT: u\r\n\r\n",
    b'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;q="a b"\r\nabc\r\n0;e\r\n\r\n',
    b"DELETE /a%20b/%2e%2e/c HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nX-A: 2\r\nX-Empty:\r\nX-Pad:  \tv\t \r\n\r\n",
    b"PATCH / HTTP/1.1\r\nHost: [::1]:80\r\nContent-Length: 3\r\nConnection: X-Drop, close\r\nX-Drop: 1\r\n\r\nabc",
    b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
]

RESPONSES = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nServer: x\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: T\r\n\r\na;x=y\r\n0123456789\r\n0\r\nT: u\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n\r\nto the end",
    b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end",
    b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok",
    b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
    b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 5\r\n\r\n',
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 1\r\n\r\nx",
    b"HTTP/1.1 301 \r\nLocation: /a\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 500 Internal Server Error\r\nX-A: 1\r\nX-A: 2\r\nX-Empty:\r\nX-Pad:  v\t \r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\nConnection: X-Drop\r\nX-Drop: 1\r\nContent-Length: 3\r\n\r\nabc",
]

# What is put in: bytes that parsers differ about, and lines that change what a message means.
PIECES = [
    b"\r", b"\n", b"\r\n", b"\r\n\r\n", b" ", b"\t", b"\0", b"\x0b", b"\x0c", b"\x7f", b"\x80", b"\xff", b":", b",", b";",
    b'"', b"\\", b"0", b"00", b"1", b"5", b"a", b"F", b"-", b"+", b"_", b"0x", b"%2e", b"%00", b"/", b"//", b"..", b"?",
    b"#", b"@", b"[", b"]", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"chunked", b"Chunked", b"xchunked", b", chunked",
    b"chunked, ", b"gzip, ", b"identity", b"close", b"keep-alive", b"http://a", b"https://b.example", b"\xc3\xa9",
    b"Content-Length: 3\r\n", b"Content-Length: 0\r\n", b"Content-Length: 5\r\n", b"Content-Length: 05\r\n",
    b"Content-Length:5 \r\n", b"content-length: +5\r\n", b"Content-Length: 5, 5\r\n", b"Content_Length: 5\r\n",
    b"Transfer-Encoding: chunked\r\n", b"transfer-encoding:\tchunked\r\n", b"Transfer-Encoding : chunked\r\n",
    b"Transfer-Encoding: chunked \r\n", b"Transfer_Encoding: chunked\r\n", b"Transfer-Encoding: identity\r\n",
    b"Transfer-Encoding:\r\n chunked\r\n", b"Connection: close\r\n", b"Connection: keep-alive\r\n",
    b"Connection: Upgrade\r\nUpgrade: h2c\r\n", b"Connection: Content-Length\r\n", b"Host: b\r\n", b"Host: a\r\n",
    b"Expect: 100-continue\r\n", b"Trailer: X\r\n", b"X: y\r\n", b"X : y\r\n", b" X: y\r\n", b"X\r\n", b": y\r\n",
    b"0\r\n\r\n", b"5\r\nhello\r\n", b"5;x\r\nhello\r\n", b"5 \r\nhello\r\n", b"0;x\r\n\r\n", b"0\r\nX: y\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"GET /smuggled HTTP/1.1\r\nX: ", b"HTTP/1.1 200 OK\r\n",
]


def mutate(message: bytes, others: list[bytes], rng: random.Random) -> bytes:
    """Up to three damages; now and then another message behind, so that ends are compared too."""
    data = bytearray(message)
    for _ in range(rng.choice((0, 1, 1, 1, 1, 2, 2, 3))):
        rng.choice(DAMAGES)(data, others, rng)
    return bytes(data)


def _place(data: bytearray, rng: random.Random) -> int:
    """Mostly a line's start or end, where damage does most."""
    if rng.random() < 0.5:
        starts = [0] + [i + 2 for i in range(len(data) - 1) if data[i : i + 2] == b"\r\n"]
        return max(0, min(len(data), rng.choice(starts) - rng.choice((0, 0, 0, 1, 2))))
    return rng.randint(0, len(data))


def _insert(data, others, rng):
    at = _place(data, rng)
    data[at:at] = rng.choice(PIECES)


def _replace(data, others, rng):
    if data:
        data[rng.randrange(len(data))] = rng.choice((rng.randrange(256), rng.choice(rng.choice(PIECES))))


def _flip(data, others, rng):
    if data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _delete(data, others, rng):
    at = _place(data, rng)
    del data[at : at + rng.choice((1, 1, 1, 2, 2, 4, 12))]


def _repeat(data, others, rng):
    start = _place(data, rng)
    piece = data[start : start + rng.choice((1, 2, 4, 16, 40))]
    at = _place(data, rng)
    data[at:at] = piece


def _repeat_line(data, others, rng):
    lines = bytes(data).split(b"\r\n")
    line = rng.choice(lines)
    lines.insert(rng.randint(0, len(lines)), line)
    data[:] = b"\r\n".join(lines)


def _swap_lines(data, others, rng):
    lines = bytes(data).split(b"\r\n")
    a, b = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[a], lines[b] = lines[b], lines[a]
    data[:] = b"\r\n".join(lines)


def _change_case(data, others, rng):
    start = rng.randint(0, len(data))
    end = start + rng.choice((1, 4, 20))
    data[start:end] = bytes(data[start:end]).swapcase()


def _splice(data, others, rng):
    other = rng.choice(others)
    data[_place(data, rng) :] = other[rng.randint(0, len(other)) :]


def _append(data, others, rng):
    data += rng.choice(others)


DAMAGES = [
    _insert, _insert, _insert, _replace, _replace, _flip, _delete, _delete, _repeat, _repeat_line, _swap_lines,
    _change_case, _splice, _append,
]
