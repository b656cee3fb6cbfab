"""A chain of plugins: tokens, a limit, breaker, log and metrics; and what the first sight of a token costs."""

from __future__ import annotations

import contextlib
import subprocess
from pathlib import Path
from typing import Iterator

from . import load, peers
from .peers import Peer, Running
from .processes import PROXY_CORE, on_core
from .scenarios import Bench, Figures, with_cpu

# Tokens in rotation, and how many more there are for every thousandth request, which brings one that is new.
KNOWN, FRESH, EVERY = 1_000, 1_000, 1_000
# Of a peer's templates the one with the chain, where it has one; HAProxy stays bare.
CHAINED = {"sluice": "sluice-chain.conf", "envoy": "envoy-chain.yaml"}


def tokens(bench: Bench, folder: Path) -> Path:
    """Makes key and tokens beside the peers' folders, once for all turns."""
    made = folder.parent / "tokens"
    if not made.exists():
        made.mkdir(parents=True)
        subprocess.run([bench.tools.tokens, "make", str(KNOWN + FRESH), str(made)], check=True)
    return made / "tokens.txt"


@contextlib.contextmanager
def running(bench: Bench, peer: Peer, folder: Path, file: Path, cache: int = 2 * KNOWN) -> Iterator[Running]:
    """The peer with its chain; it answers 401 to whoever has no token."""
    template = CHAINED.get(peer.name)
    if template is None:
        with peer.running(bench.backend, folder) as bare:
            yield bare
        return
    values = {"BACKEND": str(bench.backend), "KEYS": str(file.parent), "TOKENS": str(cache)}
    with peers.running_as(peer, template, values, folder) as chained:
        yield chained


def drive(bench: Bench, running: Running, file: Path, seconds: int, known: int = KNOWN, every: int = EVERY) -> load.Load:
    arguments = [str(file), str(known), str(every)]
    return load.wrk(running.url(), 64, seconds, script=bench.sources / "tokens.lua", arguments=arguments)


def chain(bench: Bench, peer: Peer, folder: Path) -> Figures:
    file = tokens(bench, folder)
    with running(bench, peer, folder, file) as proxy:
        drive(bench, proxy, file, 1, every=0)
        return with_cpu(proxy, lambda: drive(bench, proxy, file, bench.seconds), "request")


def first_sight(bench: Bench, peer: Peer, folder: Path) -> Figures:
    """What a request costs more whose token is new, beside one verification: with room for one token all are new."""
    file = tokens(bench, folder)
    costs = {}
    for name, cache in (("remembered", 2 * KNOWN), ("new", 1)):
        with running(bench, peer, folder / name, file, cache) as proxy:
            drive(bench, proxy, file, 1, every=0)
            costs[name] = with_cpu(proxy, lambda: drive(bench, proxy, file, bench.seconds, every=0), "request")
    command = on_core(PROXY_CORE, [str(bench.tools.tokens), "verify", "2"])
    verification = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    more = costs["new"]["cpu µs/request"] - costs["remembered"]["cpu µs/request"]
    return {
        "× one verification": more / verification, "cpu µs/first sight": more, "cpu µs/verification": verification,
        "cpu µs/request, new": costs["new"]["cpu µs/request"],
        "cpu µs/request, remembered": costs["remembered"]["cpu µs/request"]}
