"""The load: wrk in a closed loop, `pace` at a fixed rate, and connections that only wait."""

from __future__ import annotations

import json
import re
import socket
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .processes import LOAD_CORE, Failure, on_core

MICROSECONDS = {"us": 1, "ms": 1e3, "s": 1e6, "m": 6e7}


@dataclass(frozen=True)
class Tools:
    """Programs compiled from loadtests/*.c."""

    backend: Path
    pace: Path
    websockets: Path
    handshake: Path
    tokens: Path
    models: Path
    streams: Path

    @staticmethod
    def compiled(sources: Path, into: Path) -> "Tools":
        into.mkdir(parents=True, exist_ok=True)
        names = ("backend", "pace", "websockets", "handshake", "tokens", "models", "streams")
        tools = Tools(*(into / name for name in names))
        for program in (into / name for name in names):
            source = sources / f"{program.name}.c"
            if program.exists() and program.stat().st_mtime > source.stat().st_mtime:
                continue
            subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-o", program, source, "-lm", "-lssl", "-lcrypto"], check=True)
        return tools


@dataclass(frozen=True)
class Load:
    requests: int
    rate: float
    p50_us: float
    p99_us: float


def wrk(
    url: str, connections: int, seconds: int, headers: list[str] = [], script: Path | None = None,
    arguments: list[str] = [],
) -> Load:
    """Drives the URL as fast as answers come."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "10s"]
    for header in headers:
        command += ["-H", header]
    if script is not None:
        command += ["-s", str(script)]
    text = run([*command, url, *(["--", *arguments] if arguments else [])], seconds + 30)

    def first(pattern: str) -> str:
        match = re.search(pattern, text)
        if match is None:
            raise Failure(f"wrk printed no {pattern}:\n{text}")
        return match.group(1)

    if "Non-2xx" in text or re.search(r"Socket errors: .*[1-9]", text):
        raise Failure(f"failed requests at {url}:\n{text}")
    latency = {share: to_us(first(rf"\s{share}%\s+(\S+)")) for share in (50, 99)}
    return Load(int(first(r"(\d+) requests in")), float(first(r"Requests/sec:\s+(\S+)")), latency[50], latency[99])


def to_us(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)([a-z]+)", text).groups()
    return float(number) * MICROSECONDS[unit]


def pace(
    tools: Tools, port: int, connections: int, rate: float, seconds: float, request: Path | None = None,
) -> Load:
    """Drives the proxy at a fixed mean rate, random gaps, whatever the answers do, for a second more than it is told."""
    command = [str(tools.pace), str(port), str(connections), f"{rate:.1f}", str(seconds)]
    text = run([*command, *([str(request)] if request else [])], seconds + 30)
    result = json.loads(text)
    return Load(result["answered"], result["rate"], result["p50_us"], result["p99_us"])


def websockets(tools: Tools, port: int, connections: int, seconds: float) -> Load:
    """Keeps one message under way on each of so many WebSockets, for a second more than it is told."""
    text = run([str(tools.websockets), "drive", str(port), str(connections), str(seconds)], seconds + 60)
    result = json.loads(text)
    return Load(result["messages"], result["rate"], result["p50_us"], result["p99_us"])


@dataclass(frozen=True)
class Streams:
    """Streams of server-sent events: how many began, the events of all, and the times to each one's first event."""

    begun: int
    events: int
    first_p50_us: float
    first_p99_us: float


def streams(tools: Tools, port: int, count: int, seconds: float, request: Path) -> Streams:
    """Keeps so many streams under way."""
    text = run([str(tools.streams), str(port), str(count), str(seconds), str(request)], seconds + 60)
    result = json.loads(text)
    return Streams(result["begun"], result["events"], result["first_p50_us"], result["first_p99_us"])


def h2load(url: str, connections: int, seconds: int) -> Load:
    """A second opinion beside wrk: the same closed loop from another program."""
    text = run(["h2load", "--h1", "-t1", f"-c{connections}", "-D", str(seconds), url], seconds + 30)
    done = re.search(r"finished in .*?, ([\d.]+) req/s", text)
    counts = re.search(r"requests: (\d+) total, \d+ started, \d+ done, (\d+) succeeded, (\d+) failed", text)
    median = re.search(r"time for request:\s+\S+\s+(\S+)\s+(\S+)", text)
    if done is None or counts is None or median is None or counts.group(3) != "0":
        raise Failure(f"h2load at {url}:\n{text}")
    # h2load prints mean and maximum only: shown as such, never used for a gate.
    return Load(int(counts.group(2)), float(done.group(1)), to_us(median.group(2)), to_us(median.group(1)))


def h2load_streams(url: str, connections: int, streams: int, seconds: int) -> Load:
    """HTTP/2: every connection has as many requests under way as it has streams."""
    text = run(["h2load", "-t1", f"-c{connections}", f"-m{streams}", "-D", str(seconds), url], seconds + 30)
    done = re.search(r"finished in .*?, ([\d.]+) req/s", text)
    counts = re.search(r"requests: (\d+) total, \d+ started, \d+ done, (\d+) succeeded, (\d+) failed", text)
    times = re.search(r"time for request:\s+\S+\s+(\S+)\s+(\S+)", text)
    if done is None or counts is None or times is None or counts.group(3) != "0" or "protocol: h2" not in text:
        raise Failure(f"h2load at {url}:\n{text}")
    return Load(int(counts.group(2)), float(done.group(1)), to_us(times.group(2)), to_us(times.group(1)))


def handshakes(tools: Tools, port: int, kind: str, seconds: int) -> Load:
    """TLS connections one after another, each with a full handshake or a resumed one, and one request."""
    result = json.loads(run([str(tools.handshake), str(port), kind, str(seconds)], seconds + 30))
    return Load(result["requests"], result["rate"], 0, 0)


def run(command: list[str], seconds: float) -> str:
    result = subprocess.run(on_core(LOAD_CORE, command), capture_output=True, text=True, timeout=seconds)
    if result.returncode != 0:
        raise Failure(f"{command} exited with {result.returncode}:\n{result.stdout}{result.stderr}")
    return result.stdout


def open_idle(port: int, count: int, secure: bool = False) -> list[socket.socket]:
    """Opens connections one after another; each carries one request and then waits."""
    request = f"GET /items/7 HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    opened = []
    for _ in range(count):
        connection = socket.create_connection(("127.0.0.1", port), 10)
        if secure:
            connection = context.wrap_socket(connection, server_hostname="localhost")
        connection.sendall(request)
        read_response(connection)
        opened.append(connection)
    return opened


def read_response(connection: socket.socket) -> bytes:
    """Reads one response with Content-Length."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += received(connection)
    head, body = data.split(b"\r\n\r\n", 1)
    length = int(re.search(rb"(?i)content-length: *(\d+)", head).group(1))
    while len(body) < length:
        body += received(connection)
    if not head.startswith(b"HTTP/1.1 200"):
        raise Failure(f"unexpected answer: {head[:200]!r}")
    return body


def received(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise Failure("the proxy closed the connection early")
    return data
