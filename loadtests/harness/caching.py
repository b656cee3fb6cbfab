"""Hits of a cache: a thousand answers that are stored, asked for in rotation."""

from __future__ import annotations

import socket
from pathlib import Path

from . import load, peers
from .peers import Peer
from .processes import Failure
from .scenarios import Bench, Figures, with_cpu

STORED = 1_000
TEMPLATES = {"sluice": "sluice-cache.conf", "nginx": "nginx-cache.conf"}


def hits(bench: Bench, peer: Peer, folder: Path) -> Figures:
    with peers.running_as(peer, TEMPLATES[peer.name], {"BACKEND": str(bench.backend)}, folder) as running:
        drive = lambda seconds: load.wrk(
            running.url(), 64, seconds, script=bench.sources / "paths.lua", arguments=[str(STORED)])
        drive(1)
        require_hit(running.port)
        return with_cpu(running, lambda: drive(bench.seconds), "request")


def require_hit(port: int) -> None:
    """What was stored once must be what is measured."""
    for number in (1, STORED):
        with socket.create_connection(("127.0.0.1", port), 10) as client:
            client.sendall(f"GET /items/{number} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
            answer = b""
            while data := client.recv(65536):
                answer += data
        status = next((line for line in answer.split(b"\r\n") if line.lower().startswith(b"cache-status:")), b"")
        if b"hit" not in status.lower():
            raise Failure(f"no hit of the cache but {status.decode()!r}:\n{answer[:300]!r}")
