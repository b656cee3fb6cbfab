"""Reads answers in content codings with decoders of others, over sockets and by hand."""
import gzip
import socket
import sys
import zlib

import zstandard

port = int(sys.argv[1])


def text(count):
    lines = (f"line {number} {number * 2654435761 % 1000}\n" for number in range(count // 9 + 1))
    return "".join(lines)[:count].encode()


def fetch(path, coding, version):
    with socket.create_connection(("127.0.0.1", port), 20) as peer:
        fields = f"Host: a.example\r\nAccept-Encoding: {coding}\r\nConnection: close\r\n"
        peer.sendall(f"GET {path} HTTP/{version}\r\n{fields}\r\n".encode())
        received = b""
        while piece := peer.recv(65536):
            received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    fields = dict(line.lower().split(": ", 1) for line in lines[1:])
    if fields.get("transfer-encoding") == "chunked":
        content, rest = b"", body
        while True:
            size, _, rest = rest.partition(b"\r\n")
            count = int(size, 16)
            if count == 0:
                return fields, content, rest
            content, rest = content + rest[:count], rest[count + 2 :]
    return fields, body, b""


def decoded(coding, content):
    if coding == "gzip":
        return gzip.decompress(content)
    return zstandard.ZstdDecompressor().decompressobj().decompress(content)


def watch(coding):
    """Reads events as they come, and lets the next one be sent once one has been read."""
    decoder = zlib.decompressobj(31) if coding == "gzip" else zstandard.ZstdDecompressor().decompressobj()
    with socket.create_connection(("127.0.0.1", port), 20) as peer:
        peer.sendall(f"GET /events HTTP/1.0\r\nHost: a.example\r\nAccept-Encoding: {coding}\r\n\r\n".encode())
        received = b""
        while b"\r\n\r\n" not in received:
            received += peer.recv(65536)
        received = decoder.decompress(received.partition(b"\r\n\r\n")[2])
        for number in range(20):
            while f"data: {number}\n\n".encode() not in received:
                piece = peer.recv(65536)
                assert piece, f"{coding}: ended before event {number}"
                received += decoder.decompress(piece)
            fetch(f"/seen/{number}", "identity", "1.1")


for coding in ["gzip", "zstd"]:
    watch(coding)
    for version in ["1.1", "1.0"]:
        for way in ["length", "chunks", "close"]:
            for count in [1024, 5000, 300_000, 2_000_000]:
                fields, content, rest = fetch(f"/{way}/{count}", coding, version)
                at = f"{way} {count} {coding} {version}: {fields}"
                assert fields["content-encoding"] == coding, at
                assert ("transfer-encoding" in fields) == (version == "1.1"), at
                assert decoded(coding, content) == text(count), at
                if way == "chunks" and version == "1.1":
                    assert b"X-Sum: 7" in rest, rest
        fields, content, _ = fetch("/local", coding, version)
        assert decoded(coding, content) == b"local " * 400, fields
        assert int(fields["content-length"]) == len(content), fields
        fields, content, _ = fetch("/held/5000", coding, version)
        assert decoded(coding, content) == b'{"text":"' + text(5000).replace(b"\n", b" ") + b'"}', content[:80]
        assert b"secret" not in decoded(coding, content), fields
        assert int(fields["content-length"]) == len(content), fields
print("ok")
