"""Rate limits: how exactly all workers admit together, what a million keys cost, and what an outage of the store costs."""

from __future__ import annotations

import contextlib
import re
import shutil
import signal
import subprocess
import threading
import time
import urllib.request
from pathlib import Path
from typing import Iterator

from . import load
from .peers import Peer
from .processes import LOAD_CORE, Failure, free_port, rss_kib, started
from .scenarios import Bench, Figures

RATE, BURST = 500, 500
SECONDS = 10
KEYS = 1_000_000
CORES = "0,1"

RULE = """
workers: {workers}
listeners: {{ public: "127.0.0.1:{port}" }}
admin: "127.0.0.1:{admin}"
call_log: off
{more}
routes:
  all: {{ match: /*, plugins: [{{ rate_limit: {{ {limit} }} }}], respond: 204 }}
"""


@contextlib.contextmanager
def limiting(peer: Peer, folder: Path, limit: str, workers: int = 4, more: str = "") -> Iterator[tuple[int, int, int]]:
    """Sluice with one limit on every route; its process, port and admin port."""
    folder.mkdir(parents=True)
    port, admin = free_port(), free_port()
    (folder / "sluice.conf").write_text(
        RULE.format(workers=workers, port=port, admin=admin, limit=limit, more=more))
    command = ["taskset", "-c", CORES, str(peer.binary), "run", "-c", str(folder / "sluice.conf")]
    # The admin listener is the last to be opened.
    with started(command, LOAD_CORE, admin, folder) as (pid, _):
        yield pid, port, admin


def metric(admin: int, name: str) -> float:
    """The sum of a metric's series."""
    with urllib.request.urlopen(f"http://127.0.0.1:{admin}/metrics", timeout=10) as answer:
        page = answer.read().decode()
    return sum(float(line.rsplit(" ", 1)[1]) for line in page.splitlines() if line.startswith(name))


def statuses(url: str, connections: int, seconds: float) -> tuple[int, int]:
    """Drives the URL as fast as it goes; how many answers came, and how many of them were none of 2xx."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:.0f}s", "--timeout", "10s", url]
    text = load.run(command, seconds + 30)
    total = int(re.search(r"(\d+) requests in", text).group(1))
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    if re.search(r"Socket errors: .*[1-9]", text):
        raise Failure(f"connections broke:\n{text}")
    return total, int(refused.group(1)) if refused else 0


def exact_rate(bench: Bench, peer: Peer, folder: Path) -> Figures:
    """Ten times as much as may pass, to four workers, one key: what passes is rate × time + burst."""
    limit = f"rate: {RATE}/s, burst: {BURST}, key: route, name: all"
    with limiting(peer, folder, limit) as (_, port, admin):
        name = 'sluice_rate_limit_decisions_total{limit="all",decision="admitted"}'
        before, began = metric(admin, name), time.monotonic()
        offered, refused = statuses(f"http://127.0.0.1:{port}/", 64, SECONDS)
        ended = time.monotonic()
        admitted = metric(admin, name) - before
        # wrk says how long it ran by its own clock; what it started and ended around that may admit a little more.
        expected = RATE * SECONDS + BURST
        most = RATE * (ended - began) + BURST
        if offered < 10 * expected:
            raise Failure(f"{offered} requests in {SECONDS} s are not ten times as many as {expected} that may pass")
        off = max(expected - admitted, admitted - most, 0)
        return {
            "off by %": off / expected * 100, "admitted": admitted, "rate × time + burst": expected,
            "offered × what may pass": offered / expected, "refused": float(refused),
        }


def million_keys(bench: Bench, peer: Peer, folder: Path) -> Figures:
    """A million keys, all in use at once, in a bucket each."""
    script = folder / "keys.lua"
    # At this rate a bucket that was charged once stays in use for longer than the run takes.
    with limiting(peer, folder, f"rate: 1/h, burst: 10, key: header.x-user, keys: {KEYS}", workers=1) as (pid, port, admin):
        script.write_text(
            'local n = 0\nrequest = function()\n  n = n + 1\n  return wrk.format("GET", "/", { ["X-User"] = "user-" .. n })\nend\n')
        statuses(f"http://127.0.0.1:{port}/", 16, 1)
        before = rss_kib(pid)
        asked = 0
        while asked < KEYS:
            # Each run of wrk counts its keys from one: an offset of its own makes them new ones.
            text = script.read_text()
            script.write_text(re.sub(r"^local n = \d+", f"local n = {asked}", text))
            asked += load.wrk(f"http://127.0.0.1:{port}/", 16, 5, script=script).requests
        after = rss_kib(pid)
        evicted = metric(admin, "sluice_rate_limit_evicted_keys_total")
        return {
            "RSS MiB": after / 1024, "RSS growth MiB": (after - before) / 1024, "keys": float(asked),
            "bytes/key": (after - before) * 1024 / asked, "keys given up": evicted,
        }


def store_outage(bench: Bench, peer: Peer, folder: Path) -> Figures:
    """A shared store that is stopped, and then killed, while 64 connections ask; nobody waits longer than its time."""
    program = shutil.which("redis-server", path="/usr/bin:/usr/local/bin")
    if program is None:
        raise Failure("there is no redis-server")
    store = free_port()
    folder.mkdir(parents=True)
    begin = lambda: subprocess.Popen(
        [program, "--port", str(store), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)],
        stdout=subprocess.DEVNULL)
    more = f'stores: {{ shared: {{ url: "redis://127.0.0.1:{store}", timeout: 100ms, unavailable: local }} }}'
    redis = begin()
    try:
        limit = "rate: 10000000/s, key: route, store: shared"
        with limiting(peer, folder / "gateway", limit, workers=2, more=more) as (_, port, admin):
            url, figures = f"http://127.0.0.1:{port}/", {}
            figures["p99 µs, well"] = load.wrk(url, 64, bench.seconds).p99_us
            redis.send_signal(signal.SIGSTOP)
            figures["p99 µs, stopped"] = load.wrk(url, 64, bench.seconds).p99_us
            figures["longest ms, stopped"] = longest(url, bench.seconds)
            redis.send_signal(signal.SIGCONT)
            figures["s until used again, stopped"] = until_used(admin, url)
            redis.kill()
            redis.wait()
            figures["longest ms, killed"] = longest(url, bench.seconds)
            redis = begin()
            figures["s until used again, killed"] = until_used(admin, url)
            return figures
    finally:
        redis.kill()
        redis.wait()


def longest(url: str, seconds: float) -> float:
    """The longest that a request took, in ms."""
    text = load.run(["wrk", "-t1", "-c64", f"-d{seconds:.0f}s", "--timeout", "10s", url], seconds + 30)
    return load.to_us(re.search(r"Latency\s+\S+\s+\S+\s+(\S+)", text).group(1)) / 1000


def until_used(admin: int, url: str, seconds: float = 20) -> float:
    """How long it takes until the store answers again while somebody asks."""
    name = 'sluice_store_calls_total{store="shared",outcome="ok"}'
    before, began = metric(admin, name), time.monotonic()
    asking = threading.Thread(target=load.wrk, args=(url, 4, 5))
    asking.start()
    try:
        while metric(admin, name) <= before:
            if time.monotonic() - began > seconds:
                raise Failure("the store was not used again")
            time.sleep(0.01)
        return time.monotonic() - began
    finally:
        asking.join()
