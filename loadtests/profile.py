#!/usr/bin/env python3
"""Counts the instructions of one request by callgrind, and shows the functions that they are spent in.

    loadtests/profile.py [--sluice BINARY] [--peer haproxy] [--requests 1000] [--plugins LIST] [--header FIELD]
        [--body FILE]
        [keepalive|new-connections|chat|translate|stream|stream-translate|chat-plain]

The figure is the same on a busy machine. One connection at a time, everything on, the log's thread included. Of streams
it counts those of one chunk, of which each has 200.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Callable

from harness import callgrind, load, models
from harness.peers import Peer, known_peers
from harness.processes import LOAD_CORE, free_port, started

HERE = Path(__file__).resolve().parent
HEAD = "{method} /items{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: profile\r\nAccept: */*\r\n{extra}\r\n"
# What every request posts, if anything.
BODY = b""


def ask(client: socket.socket, extra: str = "") -> None:
    if BODY:
        extra += f"Content-Type: application/json\r\nContent-Length: {len(BODY)}\r\n"
    head = HEAD.format(method="POST" if BODY else "GET", path="" if BODY else "/7", extra=extra)
    client.sendall(head.encode() + BODY)
    load.read_response(client)


def keepalive(port: int, requests: int, extra: list[str]) -> None:
    with socket.create_connection(("127.0.0.1", port), 60) as client:
        for number in range(requests):
            ask(client, extra[number % len(extra)])


def new_connections(port: int, requests: int, extra: list[str]) -> None:
    for number in range(requests):
        with socket.create_connection(("127.0.0.1", port), 60) as client:
            ask(client, extra[number % len(extra)] + "Connection: close\r\n")


# What a call of a model asks, by scenario: where, of which model, and how.
CALLS = {
    "chat": (models.CHAT, models.SAME, {}), "chat-plain": (models.PLAIN, models.SAME, {}),
    "translate": (models.CHAT, models.OTHER, {"long": True}), "stream": (models.CHAT, models.SAME, {"stream": True}),
    "stream-translate": (models.CHAT, models.OTHER, {"stream": True})}


def calls(port: int, count: int, scenario: str) -> None:
    path, model, more = CALLS[scenario]
    asked = models.request(path, models.KEYS["sluice"], models.body(model, **more)).encode()
    with socket.create_connection(("127.0.0.1", port), 60) as client:
        for _ in range(count):
            client.sendall(asked)
            if not more.get("stream"):
                load.read_response(client)
                continue
            said = b""
            while not said.endswith(b"\r\n0\r\n\r\n"):
                said = said[-8:] + load.received(client)


def count_calls(options: argparse.Namespace, peer: Peer, tools: load.Tools, folder: Path) -> None:
    units = 200 if "stream" in options.scenario else 1
    count = max(1, options.requests // units)
    with models.provider(tools, folder) as provider:
        port = models.configure(peer, folder / "gateway", provider)
        arguments = peer.command("", folder / "gateway")[1:]
        with callgrind.counting(peer.binary, arguments, port, folder / "gateway") as counter:
            calls(port, 300 // units + 1, options.scenario)
            show(counter, lambda: calls(port, count, options.scenario), count * units, options, peer)


def show(counter: callgrind.Counter, drive: Callable[[], None], count: int, options: argparse.Namespace, peer: Peer) -> None:
    total = counter.count(drive)
    unit = "chunk" if "stream" in options.scenario else "request"
    print(f"{total / count:,.0f} instructions a {unit} ({peer.version()}, {options.scenario})")
    for inclusive in (False, True):
        print(f"\n{'with callees' if inclusive else 'by themselves'}, of {count} {unit}s:")
        print(functions(counter.latest, inclusive, options.functions))


def functions(profile: Path, inclusive: bool, count: int) -> str:
    """The functions at the top, with Swift names made readable."""
    command = ["callgrind_annotate", f"--inclusive={'yes' if inclusive else 'no'}", str(profile)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    lines = [line for line in text.splitlines() if re.match(r" *[\d,]+ \(", line) and "PROGRAM TOTALS" not in line]
    top = "\n".join(lines[:count])
    if shutil.which("swift"):
        top = subprocess.run(["swift", "demangle", "-compact"], input=top, capture_output=True, text=True).stdout
    return "\n".join(re.sub(r" \[[^]]*\]$", "", line)[:200] for line in top.splitlines())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenario", nargs="?", choices=["keepalive", "new-connections", *CALLS], default="keepalive")
    parser.add_argument("--sluice", type=Path, default=HERE.parent / ".build/release/sluice")
    parser.add_argument("--peer", choices=["sluice", "haproxy"], default="sluice")
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--plugins", help="plugins of every route, such as '[{ rate_limit: 1000000/s }]'")
    parser.add_argument(
        "--header", action="append", help="a field such as 'Authorization: Bearer …'; of several, requests take turns")
    parser.add_argument("--body", type=Path, help="a file of JSON that every request posts")
    parser.add_argument("--functions", type=int, default=40, help="how many to show")
    options = parser.parse_args()
    if options.body:
        global BODY
        BODY = options.body.read_bytes()
    cache = Path(os.environ.get("SLUICE_PEERS", Path.home() / ".cache/sluice-peers"))
    peer = next(peer for peer in known_peers(cache, options.sluice.resolve()) if peer.name == options.peer)
    tools = load.Tools.compiled(HERE, cache / "tools")
    extra = [f"{header}\r\n" for header in options.header or []] or [""]
    work = keepalive if options.scenario == "keepalive" else new_connections

    with tempfile.TemporaryDirectory(prefix="sluice-profile-") as name:
        folder, backend = Path(name), free_port()
        if options.scenario in CALLS:
            return count_calls(options, peer, tools, folder)
        with started([str(tools.backend), str(backend)], LOAD_CORE, backend, folder):
            port = peer.configure(backend, folder / peer.name).http
            if options.plugins:
                with open(folder / peer.name / "sluice.conf", "a") as configuration:
                    configuration.write(f"plugins: {options.plugins}\n")
            arguments = peer.command("", folder / peer.name)[1:]
            with callgrind.counting(peer.binary, arguments, port, folder / peer.name) as counter:
                work(port, 300, extra)
                show(counter, lambda: work(port, options.requests, extra), options.requests, options, peer)


if __name__ == "__main__":
    main()
