"""Calls of models: in the provider's dialect and in another, whole and as streams; beside gateways that do only that."""

from __future__ import annotations

import contextlib
import json
import math
import socket
import time
from pathlib import Path
from typing import Iterator

from . import load, peers
from .peers import Peer, Running
from .processes import LOAD_CORE, PROXY_CORE, Failure, cpu, free_port, peak_rss, started
from .scenarios import Bench, Figures, with_cpu

SAME, OTHER = "gpt-4o-mini", "claude"
CHAT, PLAIN = "/v1/chat/completions", "/plain/v1/chat/completions"
KEYS = {"sluice": "secret", "ferrogw": "fgw_0123456789abcdef0123456789abcdef", "litellm": "sk-bench"}
RATE, CONNECTIONS = 3_000, 32
STREAMS, FEW_STREAMS, MANY_STREAMS = 50, 4, 5_000
# Of one stream; `loadtests/models.c` says so.
CHUNKS_PER_SECOND = 200


def body(model: str = SAME, *, long: bool = False, stream: bool = False, slow: bool = False) -> str:
    """What a client asks. `loadtests/models.c` looks for the words "long" and "slow" in it."""
    prompt = "Say hello to whoever reads this" + (" slow" if slow else "")
    if long:
        prompt = ("long words " * 200)[:2048]
    messages = [{"role": "system", "content": "You are a helpful assistant."}, {"role": "user", "content": prompt}]
    asked = {"model": model, "max_tokens": 256, "temperature": 0.5, "messages": messages}
    return json.dumps({**asked, "stream": True} if stream else asked, separators=(",", ":"))


def request(path: str, key: str, text: str) -> str:
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\nX-API-Key: {key}\r\n"
        f"Content-Type: application/json\r\nAccept: */*\r\nUser-Agent: bench\r\nContent-Length: {len(text)}\r\n\r\n{text}")


def script(folder: Path, name: str, key: str, text: str) -> Path:
    """The same request for wrk."""
    file = folder / f"{name}.lua"
    file.write_text(
        f'wrk.method = "POST"\nwrk.body = [[{text}]]\nwrk.headers["Authorization"] = "Bearer {key}"\n'
        f'wrk.headers["X-API-Key"] = "{key}"\nwrk.headers["Content-Type"] = "application/json"\n')
    return file


def configure(peer: Peer, folder: Path, provider: int) -> int:
    """Writes the configuration of a gateway; returns the port on which it will listen."""
    folder.mkdir(parents=True)
    port = free_port()
    values = {"PORT": str(port), "ADMIN": str(free_port()), "BACKEND": str(provider), "FOLDER": str(folder)}
    name = peer.templates[0]
    template = "sluice-models.conf" if peer.name == "sluice" else name
    (folder / name).write_text(peers.fill((peers.TEMPLATES / template).read_text(), values))
    return port


@contextlib.contextmanager
def provider(tools: load.Tools, folder: Path) -> Iterator[int]:
    port = free_port()
    folder.mkdir(parents=True, exist_ok=True)
    with started([str(tools.models), str(port)], LOAD_CORE, port, folder):
        yield port


@contextlib.contextmanager
def running(peer: Peer, folder: Path, provider: int) -> Iterator[Running]:
    """The gateway, as soon as it answers a call with 200; both peers limit calls unless they are told not to."""
    port = configure(peer, folder, provider)
    command = peer.command(str(peer.binary), folder)
    if peer.name == "litellm":
        command += ["--host", "127.0.0.1", "--port", str(port)]
    environment = {
        "HOME": str(folder), "PORT": str(port), "OPENAI_API_KEY": "key-of-the-provider",
        "OPENAI_BASE_URL": f"http://127.0.0.1:{provider}", "GATEWAY_CONFIG": str(folder / "ferrogw.yaml"),
        "MASTER_KEY": KEYS["ferrogw"], "RATE_LIMIT_RPS": "0", "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_LOG": "ERROR", **peer.environment}
    with started(command, PROXY_CORE, port, folder, environment, seconds=60) as (pid, born):
        await_answer(port, request(CHAT, KEYS[peer.name], body()))
        yield Running(peer, peers.Ports(port, 0, 0), pid, folder, born)


def await_answer(port: int, text: str, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), 10) as client:
                client.sendall(text.encode())
                load.read_response(client)
            return
        except (OSError, Failure, AttributeError):
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def closed_loop(gateway: Running, path: str, seconds: int, text: str) -> Figures:
    """As many calls as it carries over 32 connections."""
    file = script(gateway.folder, "call", KEYS[gateway.peer.name], text)
    drive = lambda seconds: load.wrk(gateway.url(path), CONNECTIONS, seconds, script=file)
    drive(1)
    return with_cpu(gateway, lambda: drive(seconds), "call")


def paced(bench: Bench, port: int, folder: Path, text: str, rate: float = RATE) -> load.Load:
    file = folder / "request"
    file.write_text(text)
    return load.pace(bench.tools, port, CONNECTIONS, rate, bench.seconds, file)


def chat(bench: Bench, peer: Peer, folder: Path) -> Figures:
    with provider(bench.tools, folder) as origin, running(peer, folder / "gateway", origin) as gateway:
        figures = closed_loop(gateway, CHAT, bench.seconds, body())
        more = {"× plain proxying": math.nan, "p50 more ms": math.nan, "p99 more ms": math.nan}
        if peer.name == "sluice":
            plain = closed_loop(gateway, PLAIN, bench.seconds, body())
            asked = request(CHAT, KEYS[peer.name], body())
            direct = paced(bench, origin, folder, asked)
            through = paced(bench, gateway.port, folder, asked)
            more = {
                "× plain proxying": figures["cpu µs/call"] / plain["cpu µs/call"],
                "p50 more ms": (through.p50_us - direct.p50_us) / 1000,
                "p99 more ms": (through.p99_us - direct.p99_us) / 1000}
        return {**figures, **more}


def translation(bench: Bench, peer: Peer, folder: Path) -> Figures:
    with provider(bench.tools, folder) as origin, running(peer, folder / "gateway", origin) as gateway:
        same = closed_loop(gateway, CHAT, bench.seconds, body(long=True))
        other = closed_loop(gateway, CHAT, bench.seconds, body(OTHER, long=True))
        return {
            "× same dialect": other["cpu µs/call"] / same["cpu µs/call"], "cpu µs/call": other["cpu µs/call"],
            "cpu µs/call, same dialect": same["cpu µs/call"], "calls/s": other["calls/s"], "RSS MiB": other["RSS MiB"]}


def streamed(bench: Bench, gateway: Running, folder: Path, model: str) -> float:
    """CPU time for each chunk, in µs."""
    file = folder / "request"
    file.write_text(request(CHAT, KEYS["sluice"], body(model, stream=True)))
    drive = lambda seconds: load.streams(bench.tools, gateway.port, STREAMS, seconds, file)
    drive(1)
    before = cpu(gateway.pid)
    result = drive(bench.seconds)
    used = cpu(gateway.pid) - before
    return (used.user + used.system) * 1e6 / result.events


def stream(bench: Bench, peer: Peer, folder: Path) -> Figures:
    with provider(bench.tools, folder) as origin, running(peer, folder / "gateway", origin) as gateway:
        # As many requests a second as there are chunks: a proxy that never sleeps between two pays less for each.
        asked = request(PLAIN, KEYS["sluice"], body())
        drive = lambda: paced(bench, gateway.port, folder, asked, STREAMS * CHUNKS_PER_SECOND)
        plain = with_cpu(gateway, drive, "request")["cpu µs/request"]
        same = streamed(bench, gateway, folder, SAME)
        other = streamed(bench, gateway, folder, OTHER)
        file = folder / "request"
        file.write_text(request(CHAT, KEYS["sluice"], body(stream=True)))
        direct = load.streams(bench.tools, origin, FEW_STREAMS, bench.seconds, file)
        through = load.streams(bench.tools, gateway.port, FEW_STREAMS, bench.seconds, file)
        return {
            "× plain request, same dialect": same / plain, "× plain request, translated": other / plain,
            "first chunk more ms": (through.first_p50_us - direct.first_p50_us) / 1000,
            "cpu µs/chunk, same dialect": same, "cpu µs/chunk, translated": other, "cpu µs/plain request": plain}


def many_streams(bench: Bench, peer: Peer, folder: Path) -> Figures:
    """A chunk every 250 ms in each; all of them are under way after half a second."""
    with provider(bench.tools, folder) as origin, running(peer, folder / "gateway", origin) as gateway:
        file = folder / "request"
        file.write_text(request(CHAT, KEYS["sluice"], body(stream=True, slow=True)))
        before = cpu(gateway.pid)
        with peak_rss(gateway.pid, every=0.1) as peak:
            result = load.streams(bench.tools, gateway.port, MANY_STREAMS, max(3, bench.seconds), file)
        used = cpu(gateway.pid) - before
        if result.begun < MANY_STREAMS:
            raise Failure(f"only {result.begun} of {MANY_STREAMS} streams began")
        return {
            "RSS MiB": peak[0] / 1024, "streams": float(result.begun), "chunks": float(result.events),
            "cpu µs/chunk": (used.user + used.system) * 1e6 / result.events, "first chunk p99 ms": result.first_p99_us / 1000}
