"""What is measured. A scenario takes one peer and returns its figures for one turn."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from . import load
from .peers import Peer, Running
from .processes import LOAD_CORE, Failure, cpu, free_port, peak_rss, rss_kib, started

Figures = dict[str, float]
WEBSOCKETS = 1_000
STREAM_BYTES = 100 * 1024 * 1024


@dataclass
class Bench:
    """What every scenario needs."""

    tools: load.Tools
    sources: Path
    backend: int
    seconds: int
    idle_connections: int
    half_rate: float = 0
    # A server of HTTP/2 for behind the proxies.
    nginx: Path | None = None


@dataclass(frozen=True)
class Gate:
    """A figure of Sluice's that must hold: a limit, or a limit on its ratio to a peer's of the same turn.

    `against` names a peer, or several by commas: then the lowest median among them counts.
    """

    figure: str
    limit: float
    against: str | None = None


@dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    measure: Callable[[Bench, Peer, Path], Figures]
    gates: tuple[Gate, ...] = ()
    only_sluice: bool = False
    # The peers that it is for; none named, all.
    among: tuple[str, ...] = ()
    # What is found out anew before the peers take their turns.
    before_turn: Callable[[Bench, list[Peer], Path], None] | None = None


def with_cpu(running: Running, drive: Callable[[], load.Load], unit: str) -> Figures:
    """Runs a load and divides the CPU time that the proxy used by the requests that came back."""
    before, rss_before = cpu(running.pid), rss_kib(running.pid)
    with peak_rss(running.pid, every=0.1) as peak:
        result = drive()
    used = cpu(running.pid) - before
    if result.requests == 0:
        raise Failure("no request came back")
    each = 1e6 / result.requests
    return {
        f"cpu µs/{unit}": (used.user + used.system) * each,
        f"user µs/{unit}": used.user * each,
        f"sys µs/{unit}": used.system * each,
        f"{unit}s/s": result.rate,
        "p50 µs": result.p50_us,
        "p99 µs": result.p99_us,
        "RSS MiB": peak[0] / 1024,
        "RSS growth MiB": (peak[0] - rss_before) / 1024,
    }


def keepalive(bench: Bench, peer: Peer, folder: Path) -> Figures:
    with peer.running(bench.backend, folder) as running:
        load.wrk(running.url(), 64, 1)
        figures = with_cpu(running, lambda: load.wrk(running.url(), 64, bench.seconds), "request")
        second = with_cpu(running, lambda: load.h2load(running.url(), 64, max(2, bench.seconds // 2)), "request")
        figures["cpu µs/request by h2load"] = second["cpu µs/request"]
        return figures


def fixed_rate(bench: Bench, peer: Peer, folder: Path) -> Figures:
    with peer.running(bench.backend, folder) as running:
        load.wrk(running.url(), 64, 1)
        drive = lambda: load.pace(bench.tools, running.port, 64, bench.half_rate, bench.seconds)
        return with_cpu(running, drive, "request")


def download(bench: Bench, peer: Peer, folder: Path) -> Figures:
    with peer.running(bench.backend, folder) as running:
        load.wrk(running.url("/1m"), 16, 1)
        return with_cpu(running, lambda: load.wrk(running.url("/1m"), 16, bench.seconds), "MiB")


def upload(bench: Bench, peer: Peer, folder: Path) -> Figures:
    script = bench.sources / "upload.lua"
    with peer.running(bench.backend, folder) as running:
        load.wrk(running.url("/items"), 16, 1, script=script)
        return with_cpu(running, lambda: load.wrk(running.url("/items"), 16, bench.seconds, script=script), "MiB")


def new_connections(bench: Bench, peer: Peer, folder: Path) -> Figures:
    close = ["Connection: close"]
    with peer.running(bench.backend, folder) as running:
        load.wrk(running.url(), 64, 1, close)
        return with_cpu(running, lambda: load.wrk(running.url(), 64, bench.seconds, close), "request")


def tls_keepalive(bench: Bench, peer: Peer, folder: Path) -> Figures:
    with peer.running(bench.backend, folder) as running:
        load.wrk(running.tls_url(), 64, 1)
        return with_cpu(running, lambda: load.wrk(running.tls_url(), 64, bench.seconds), "request")


def tls_download(bench: Bench, peer: Peer, folder: Path) -> Figures:
    with peer.running(bench.backend, folder) as running:
        load.wrk(running.tls_url("/1m"), 16, 1)
        return with_cpu(running, lambda: load.wrk(running.tls_url("/1m"), 16, bench.seconds), "MiB")


def tls_handshakes(bench: Bench, peer: Peer, folder: Path) -> Figures:
    with peer.running(bench.backend, folder) as running:
        figures: Figures = {}
        for kind in ("full", "resumed"):
            load.handshakes(bench.tools, running.ports.tls, kind, 1)
            drive = lambda: load.handshakes(bench.tools, running.ports.tls, kind, bench.seconds)
            measured = with_cpu(running, drive, "connection")
            figures[f"cpu µs/{kind}"] = measured["cpu µs/connection"]
            figures[f"{kind}/s"] = measured["connections/s"]
        return figures


def tls_idle(bench: Bench, peer: Peer, folder: Path) -> Figures:
    with peer.running(bench.backend, folder) as running:
        return idle_memory(running, running.ports.tls, bench.idle_connections // 2, secure=True)


def h2(bench: Bench, peer: Peer, folder: Path) -> Figures:
    with peer.running(bench.backend, folder) as running:
        load.h2load_streams(running.tls_url(), 10, 100, 1)
        return with_cpu(running, lambda: load.h2load_streams(running.tls_url(), 10, 100, bench.seconds), "request")


def h2c(bench: Bench, peer: Peer, folder: Path) -> Figures:
    with peer.running(bench.backend, folder) as running:
        load.h2load_streams(running.h2c_url(), 10, 100, 1)
        return with_cpu(running, lambda: load.h2load_streams(running.h2c_url(), 10, 100, bench.seconds), "request")


def idle(bench: Bench, peer: Peer, folder: Path) -> Figures:
    with peer.running(bench.backend, folder) as running:
        return idle_memory(running, running.port, bench.idle_connections)


def idle_memory(running: Running, port: int, count: int, secure: bool = False) -> Figures:
    """What connections cost that have carried one request and wait."""
    for connection in load.open_idle(port, 64, secure):
        connection.close()
    time.sleep(0.5)
    before = rss_kib(running.pid)
    opened = load.open_idle(port, count, secure)
    time.sleep(1)
    after = rss_kib(running.pid)
    for connection in opened:
        connection.close()
    return {"RSS KiB/connection": (after - before) / count, "RSS MiB": after / 1024, "connections": count}


def websockets(bench: Bench, peer: Peer, folder: Path) -> Figures:
    port = free_port()
    folder.mkdir(parents=True)
    with started([str(bench.tools.websockets), "serve", str(port)], LOAD_CORE, port, folder):
        with peer.running(port, folder / "proxy") as running:
            load.websockets(bench.tools, running.port, WEBSOCKETS, 1)
            drive = lambda: load.websockets(bench.tools, running.port, WEBSOCKETS, bench.seconds)
            return with_cpu(running, drive, "message")


def slow_reader(bench: Bench, peer: Peer, folder: Path) -> Figures:
    with peer.running(bench.backend, folder) as running:
        for connection in load.open_idle(running.port, 8):
            connection.close()
        before = rss_kib(running.pid)
        with peak_rss(running.pid) as down:
            read_slowly(running.port)
        with peak_rss(running.pid) as up:
            upload_to_slow_backend(running.port)
        growth = {"download": (down[0] - before) / 1024, "upload": (up[0] - before) / 1024}
        return {
            "RSS growth MiB": max(growth.values()),
            "download growth MiB": growth["download"],
            "upload growth MiB": growth["upload"],
            "RSS MiB": before / 1024,
        }


def read_slowly(port: int) -> None:
    """Reads 100 MiB, nothing in the first second and then about 30 MiB/s."""
    with socket.create_connection(("127.0.0.1", port), 10) as client:
        client.sendall(f"GET /100m HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        time.sleep(1)
        total, tail = 0, b""
        while not tail.endswith(b"\r\n0\r\n\r\n"):
            data = load.received(client)
            total += len(data)
            tail = (tail + data)[-16:]
            time.sleep(0.002)
        if total < STREAM_BYTES:
            raise Failure(f"the stream ended after {total} bytes")


def upload_to_slow_backend(port: int) -> None:
    """Sends 100 MiB chunked as fast as it goes to a backend that reads 25 MiB/s."""
    chunk = b"10000\r\n" + b"u" * 65536 + b"\r\n"
    with socket.create_connection(("127.0.0.1", port), 60) as client:
        client.sendall(f"POST /slow HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        for _ in range(STREAM_BYTES // 65536):
            client.sendall(chunk)
        client.sendall(b"0\r\n\r\n")
        if load.read_response(client) != b"ok":
            raise Failure("the backend did not take the upload")


def start_time(bench: Bench, peer: Peer, folder: Path) -> Figures:
    taken = []
    for attempt in range(5):
        with peer.running(bench.backend, folder / str(attempt)) as running:
            taken.append((time.monotonic() - running.born) * 1000)
    return {"first answer ms": sorted(taken)[len(taken) // 2]}


def pace_by_top_rate(bench: Bench, peers: list[Peer], folder: Path) -> None:
    """Sets the rate to half of what HAProxy carries in a closed loop now: the machine is not always as fast."""
    pacer = next((peer for peer in peers if peer.name == "haproxy"), peers[0])
    with pacer.running(bench.backend, folder) as running:
        load.wrk(running.url(), 64, 1)
        bench.half_rate = load.wrk(running.url(), 64, max(2, bench.seconds // 2)).rate / 2
