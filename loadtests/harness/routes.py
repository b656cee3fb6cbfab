"""What 100,000 routes cost: instructions a request by callgrind, and the time to check and load them."""

from __future__ import annotations

import random
import shutil
import socket
import subprocess
import time
from pathlib import Path

from . import callgrind, load
from .peers import Peer, fill
from .processes import PROXY_CORE, Failure, free_port, on_core, started
from .scenarios import Bench, Figures

MANY, FEW = 100_000, 10
WARM_UP, SHORT, LONG = 300, 500, 1500
# Requests go to so many routes all over the table, each warmed up: what a route costs once (its metrics) is not counted.
VISITED = 100


def route_table(bench: Bench, peer: Peer, folder: Path) -> Figures:
    folder.mkdir(parents=True)
    many, few = folder / "many", folder / "few"
    configure(many, MANY)
    configure(few, FEW)
    figures = {
        "check s": timed_check(bench, peer, many),
        "load s": timed_load(bench, peer, many),
    }
    if shutil.which("valgrind"):
        each_few, each_many = (instructions_per_request(bench, peer, f, n) for f, n in ((few, FEW), (many, MANY)))
        figures |= {
            f"instructions/request, {FEW} routes": each_few,
            f"instructions/request, {MANY} routes": each_many,
            "instructions ratio": each_many / each_few,
        }
    return figures


def configure(folder: Path, count: int) -> None:
    """Writes a configuration of `count` routes: literals, parameters and hosts, as a large company's would mix them."""
    folder.mkdir()
    lines = [
        "workers: 1",
        'listeners: { public: "127.0.0.1:@PORT@" }',
        'upstreams: { origin: "http://127.0.0.1:@BACKEND@" }',
        "routes:",
    ]
    for index in range(count):
        path = route_path(index, "{id}")
        if index % 10 == 9:
            match = f'{{ hosts: [tenant{index % 500:03}.example.com], paths: ["{path}"] }}'
        else:
            match = f'"GET {path}"'
        lines.append(f"  r{index}: {{ match: {match}, upstream: origin }}")
    (folder / "template.conf").write_text("\n".join(lines) + "\n")


def route_path(index: int, identifier: str) -> str:
    service, resource = divmod(index, 100)
    return f"/service{service:03}/v1/resource{resource:02}/{identifier}"


def request(index: int, port: int) -> bytes:
    host = f"tenant{index % 500:03}.example.com" if index % 10 == 9 else f"127.0.0.1:{port}"
    return f"GET {route_path(index, '42')} HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\n\r\n".encode()


def written(bench: Bench, folder: Path) -> tuple[Path, int]:
    port = free_port()
    config = folder / "sluice.conf"
    config.write_text(fill((folder / "template.conf").read_text(), {"PORT": str(port), "BACKEND": str(bench.backend)}))
    return config, port


def timed_check(bench: Bench, peer: Peer, folder: Path) -> float:
    config, _ = written(bench, folder)
    began = time.monotonic()
    result = subprocess.run(
        on_core(PROXY_CORE, [str(peer.binary), "check", "-c", str(config)]), capture_output=True, text=True, timeout=120)
    if result.returncode != 0:
        raise Failure(f"check refused the routes:\n{(result.stdout + result.stderr)[:2000]}")
    return time.monotonic() - began


def timed_load(bench: Bench, peer: Peer, folder: Path) -> float:
    config, port = written(bench, folder)
    with started([str(peer.binary), "run", "-c", str(config)], PROXY_CORE, port, folder) as (_, born):
        with socket.create_connection(("127.0.0.1", port), 10) as client:
            client.sendall(request(1, port))
            load.read_response(client)
        return time.monotonic() - born


def instructions_per_request(bench: Bench, peer: Peer, folder: Path, count: int) -> float:
    """The difference of two counts, so that what starting and stopping a count costs cancels out."""
    config, port = written(bench, folder)
    with callgrind.counting(peer.binary, ["run", "-c", str(config)], port, folder) as counter:
        with socket.create_connection(("127.0.0.1", port), 60) as client:
            source = random.Random(7)
            visited = [source.randrange(count) // 10 * 10 + turn % 10 for turn in range(VISITED)]
            ask(client, port, visited, WARM_UP)
            short = counter.count(lambda: ask(client, port, visited, SHORT))
            long = counter.count(lambda: ask(client, port, visited, LONG))
    return (long - short) / (LONG - SHORT)


def ask(client: socket.socket, port: int, visited: list[int], requests: int) -> None:
    for turn in range(requests):
        client.sendall(request(visited[turn % len(visited)], port))
        load.read_response(client)
