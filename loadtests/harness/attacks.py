"""What attackers over HTTP/2 cost others: their p99, and the proxy's memory, while frames come as fast as is told."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

from . import load
from .peers import Peer, Running
from .processes import LOAD_CORE, Failure, on_core, peak_rss, rss_kib
from .scenarios import Bench, Figures

KINDS = (
    "rapid-reset", "made-to-reset", "continuation", "hpack-bomb", "settings", "ping", "empty-data", "stall", "drip",
    "unread",
)
FRAMES_PER_SECOND = 10_000
SECONDS = 10
NEIGHBOURS_RATE = 1_000


def attacks(bench: Bench, peer: Peer, folder: Path) -> Figures:
    """Each attack, over TLS and without, beside clients that mean well; the worst of all is what counts."""
    figures: Figures = {"worst p99 ms": 0, "worst RSS growth MiB": 0, "never cut": 0}
    for kind in KINDS:
        for secure in (False, True):
            with peer.running(bench.backend, folder / f"{kind}-{'tls' if secure else 'clear'}") as running:
                under_attack(bench, running, kind, secure, figures)
    return figures


def under_attack(bench: Bench, running: Running, kind: str, secure: bool, figures: Figures) -> None:
    load.wrk(running.url(), 64, 1)
    before, cut_before = rss_kib(running.pid), refused(running)
    port = running.ports.tls if secure else running.ports.h2c
    command = [sys.executable, str(bench.sources / "attack.py"), kind, str(port), str(FRAMES_PER_SECOND), str(SECONDS)]
    with peak_rss(running.pid, every=0.1) as peak:
        attacker = subprocess.Popen(on_core(LOAD_CORE, command + (["tls"] if secure else [])), stdout=subprocess.PIPE)
        try:
            neighbours = load.pace(bench.tools, running.port, 64, NEIGHBOURS_RATE, SECONDS - 2)
            output, _ = attacker.communicate(timeout=60)
        finally:
            attacker.kill()
    if attacker.returncode != 0:
        raise Failure(f"the attacker {kind} ended with {attacker.returncode}")
    said = json.loads(output)
    growth, counted = (peak[0] - before) / 1024, refused(running) - cut_before
    print(
        f"  {kind}{' over TLS' if secure else ''}: p99 {neighbours.p99_us / 1000:.1f} ms, RSS grew {growth:.1f} MiB, "
        f"{said['frames']:,} frames, {said['rate']:,.0f}/s, over {said['connections']:,} connections, {counted:,.0f} cut off",
        file=sys.stderr, flush=True)
    name = f"{kind}{' tls' if secure else ''}"
    figures[f"{name} p99 ms"] = neighbours.p99_us / 1000
    figures[f"{name} frames/s"] = said["rate"]
    figures["worst p99 ms"] = max(figures["worst p99 ms"], neighbours.p99_us / 1000)
    figures["worst RSS growth MiB"] = max(figures["worst RSS growth MiB"], growth)
    figures["never cut"] += counted == 0


def refused(running: Running) -> float:
    """How many connections of HTTP/2 the proxy has cut off for their conduct."""
    admin = re.search(r'^admin: "([^"]+)"', (running.folder / "sluice.conf").read_text(), re.MULTILINE).group(1)
    with urllib.request.urlopen(f"http://{admin}/metrics", timeout=10) as answer:
        page = answer.read().decode()
    return sum(float(line.rsplit(" ", 1)[1]) for line in page.splitlines() if line.startswith("sluice_http2_refused_total{"))
