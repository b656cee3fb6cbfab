#!/usr/bin/env python3
"""Measures Sluice beside other proxies on this machine; docs/BENCHMARKS.md says how and why.

    loadtests/bench.py [--runs 5] [--seconds 8] [--peers sluice,haproxy] [SCENARIO...]
"""

from __future__ import annotations

import argparse
import os
import resource
import shlex
import sys
import tempfile
from pathlib import Path

from harness import attacks, behind, bodies, caching, chain, limits, load, models, report, routes, scenarios
from harness.peers import Peer, known_peers
from harness.processes import LOAD_CORE, Failure, free_port, started
from harness.scenarios import Bench, Gate, Scenario

HERE = Path(__file__).resolve().parent

SCENARIOS = [
    Scenario(
        "keepalive", "256 B responses, 64 keep-alive connections, Sluice with everything on", scenarios.keepalive,
        (Gate("cpu µs/request", 0.90, "haproxy"), Gate("cpu µs/request", 0.60, "nginx"),
         Gate("user µs/request", 0.80, "haproxy"))),
    Scenario(
        "fixed-rate", "256 B responses at half of HAProxy's top rate, random arrivals", scenarios.fixed_rate,
        (Gate("p99 µs", 1.10, "haproxy"),), before_turn=scenarios.pace_by_top_rate),
    Scenario(
        "download-1m", "1 MiB responses, 16 connections", scenarios.download,
        (Gate("cpu µs/MiB", 1.10, "haproxy"), Gate("RSS growth MiB", 2))),
    Scenario(
        "upload-1m", "1 MiB uploads, 16 connections", scenarios.upload,
        (Gate("cpu µs/MiB", 1.10, "haproxy"), Gate("RSS growth MiB", 2))),
    Scenario(
        "slow-reader", "100 MiB chunked to a slow client and to a slow backend", scenarios.slow_reader,
        (Gate("RSS growth MiB", 2),)),
    Scenario(
        "idle-10k", "idle keep-alive connections that have carried one request", scenarios.idle,
        (Gate("RSS KiB/connection", 3),)),
    Scenario(
        "new-connections", "a new connection for every request, 64 at a time", scenarios.new_connections,
        (Gate("cpu µs/request", 1.0, "haproxy"),)),
    Scenario(
        "tls-keepalive", "256 B responses over TLS 1.3, ECDSA P-256, 64 keep-alive connections", scenarios.tls_keepalive,
        (Gate("cpu µs/request", 0.95, "haproxy"),)),
    Scenario(
        "tls-handshakes", "a TLS connection for every request: full handshakes, then resumed ones", scenarios.tls_handshakes,
        (Gate("cpu µs/full", 1.05, "haproxy"), Gate("cpu µs/resumed", 1.05, "haproxy"))),
    Scenario(
        "tls-download-1m", "1 MiB responses over TLS, 16 connections", scenarios.tls_download,
        (Gate("cpu µs/MiB", 1.05, "haproxy"), Gate("RSS growth MiB", 4))),
    Scenario(
        "tls-idle-5k", "idle TLS connections that have carried one request", scenarios.tls_idle,
        (Gate("RSS KiB/connection", 1.2, "haproxy"),)),
    Scenario(
        "h2", "HTTP/2 over TLS, 100 streams on each of 10 connections, to an HTTP/1.1 backend", scenarios.h2,
        (Gate("cpu µs/request", 0.80, "haproxy,nginx,envoy"),)),
    Scenario(
        "h2c", "HTTP/2 without TLS, 100 streams on each of 10 connections, to an HTTP/1.1 backend", scenarios.h2c,
        (Gate("cpu µs/request", 0.80, "haproxy,nginx,envoy"),)),
    Scenario(
        "h2-behind", "HTTP/2 without TLS, 100 streams on each of 10 connections, to a backend of HTTP/2",
        behind.h2_behind, among=("sluice", "haproxy", "nginx", "envoy")),
    Scenario(
        "routes-100k", "100,000 routes beside 10", routes.route_table,
        (Gate("instructions ratio", 1.05), Gate("check s", 2), Gate("load s", 2)), only_sluice=True),
    Scenario(
        "websocket", "64 B messages and their echoes over 1,000 WebSockets", scenarios.websockets,
        (Gate("cpu µs/message", 1.0, "haproxy"),), among=("sluice", "haproxy")),
    Scenario(
        "attacks", "10,000 frames/s of HTTP/2 for 10 s of each attack, in the clear and over TLS", attacks.attacks,
        (Gate("worst p99 ms", 100), Gate("worst RSS growth MiB", 64), Gate("never cut", 0)), only_sluice=True),
    Scenario(
        "chain", "RS256 tokens, token bucket, breaker, call log and metrics; HAProxy bare, Envoy with the same",
        chain.chain,
        (Gate("cpu µs/request", 0.95, "haproxy"), Gate("cpu µs/request", 0.35, "envoy")),
        among=("sluice", "haproxy", "envoy")),
    Scenario(
        "jwt-first", "the first sight of an RS256 token beside one verification by OpenSSL", chain.first_sight,
        (Gate("× one verification", 1.3),), only_sluice=True),
    Scenario(
        "cache-hit", "1,000 stored answers of 256 B in rotation, 64 keep-alive connections, Sluice with log and metrics",
        caching.hits, (Gate("cpu µs/request", 1.0, "nginx"),), among=("sluice", "nginx")),
    Scenario(
        "json-bodies", "transforming and validating a JSON body of 2 KiB beside simdjson's parse", bodies.costs,
        (Gate("transform, × parse", 4), Gate("validate, × parse", 5)), only_sluice=True),
    Scenario(
        "rate-limit", "ten times too much for one limit, on four workers, for 10 s", limits.exact_rate,
        (Gate("off by %", 1),), only_sluice=True),
    Scenario(
        "million-keys", "a million keys of a rate limit, all in use", limits.million_keys,
        (Gate("RSS MiB", 200),), only_sluice=True),
    Scenario(
        "store-outage", "a shared store stopped and killed while 64 connections ask", limits.store_outage,
        (Gate("longest ms, stopped", 1000), Gate("longest ms, killed", 1000)), only_sluice=True),
    Scenario(
        "ai-chat", "a call of a model in the provider's dialect: key, token limit, call log and metrics", models.chat,
        (Gate("cpu µs/call", 1 / 200, "litellm"), Gate("cpu µs/call", 1 / 5, "ferrogw"), Gate("× plain proxying", 2.5),
         Gate("p50 more ms", 0.10), Gate("p99 more ms", 0.4)),
        among=("sluice", "ferrogw", "litellm")),
    Scenario(
        "ai-translate", "a client of OpenAI asks a model of Anthropic's, 2 KiB each way", models.translation,
        (Gate("× same dialect", 2),), only_sluice=True),
    Scenario(
        "ai-stream", "streams of 200 chunks, 50 at a time", models.stream,
        (Gate("× plain request, same dialect", 0.5), Gate("× plain request, translated", 1), Gate("first chunk more ms", 0.15)),
        only_sluice=True),
    Scenario(
        "ai-streams-5k", "5,000 streams at once", models.many_streams, (Gate("RSS MiB", 300),), only_sluice=True),
    Scenario("start-time", "from spawn to the first answer", scenarios.start_time, (Gate("first answer ms", 50),)),
]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [scenario.name for scenario in SCENARIOS]
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=f"of {', '.join(names)} (default: all)")
    parser.add_argument("--runs", type=int, default=5, help="turns of each gating proxy (others take one)")
    parser.add_argument("--seconds", type=int, default=8, help="length of one timed load")
    parser.add_argument("--peers", default="", help="names, comma-separated (default: all that are installed)")
    parser.add_argument("--sluice", type=Path, default=HERE.parent / ".build/release/sluice", help="the binary to measure")
    parser.add_argument("--results", type=Path, default=HERE / "results")
    options = parser.parse_args()
    unknown = set(options.scenarios) - set(names)
    if unknown:
        parser.error(f"unknown scenario {', '.join(unknown)}; there are {', '.join(names)}")
    if not 1 <= options.runs <= 50 or not 1 <= options.seconds <= 60:
        parser.error("--runs must be 1 to 50 and --seconds 1 to 60")
    return options


def chosen_peers(options: argparse.Namespace, cache: Path) -> list[Peer]:
    found = known_peers(cache, options.sluice.resolve())
    wanted = options.peers.split(",") if options.peers else [peer.name for peer in found]
    missing = set(wanted) - {peer.name for peer in found}
    if missing:
        sys.exit(f"bench: not installed: {', '.join(missing)}; `make bench` builds Sluice and installs the peers")
    return [peer for peer in found if peer.name in wanted]


def take_turns(bench: Bench, scenario: Scenario, peers: list[Peer], runs: int, work: Path) -> report.Turns:
    """A B C, B C A, …: the pairs of a turn run close together, and nobody always goes first."""
    turns: report.Turns = {}
    entrants = [peer for peer in peers if peer.name == "sluice" or not scenario.only_sluice]
    entrants = [peer for peer in entrants if peer.name in scenario.among or not (scenario.among or peer.only_models)]
    for turn in range(runs):
        gating = [peer for peer in entrants if peer.gates]
        shift = turn % max(1, len(gating))
        shown = [peer for peer in entrants if not peer.gates] if turn == 0 else []
        if scenario.before_turn is not None:
            scenario.before_turn(bench, entrants, work / f"{scenario.name}-{turn}")
        for peer in gating[shift:] + gating[:shift] + shown:
            print(f"{scenario.name} turn {turn + 1}: {peer.name}", file=sys.stderr, flush=True)
            try:
                figures = scenario.measure(bench, peer, work / f"{scenario.name}-{turn}-{peer.name}")
            except Failure as failure:
                if peer.gates:
                    raise
                print(f"bench: {peer.name} is left out: {failure}", file=sys.stderr)
                continue
            turns.setdefault(peer.name, []).append(figures)
    return {peer.name: turns[peer.name] for peer in entrants if peer.name in turns}


def main() -> int:
    options = arguments()
    cache = Path(os.environ.get("SLUICE_PEERS", Path.home() / ".cache/sluice-peers"))
    peers = chosen_peers(options, cache)
    tools = load.Tools.compiled(HERE, cache / "tools")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    os.sched_setaffinity(0, {LOAD_CORE})
    selected = [s for s in SCENARIOS if not options.scenarios or s.name in options.scenarios]
    command, status = shlex.join(["loadtests/bench.py", *sys.argv[1:]]), 0
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as name:
        work, port = Path(name), free_port()
        with started([str(tools.backend), str(port)], LOAD_CORE, port, work):
            nginx = next((peer.binary for peer in known_peers(cache, options.sluice) if peer.name == "nginx"), None)
            bench = Bench(
                tools, HERE, port, options.seconds, idle_connections=min(10_000, hard - 500), nginx=nginx)
            for scenario in selected:
                try:
                    turns = take_turns(bench, scenario, peers, options.runs, work)
                    print(report.save(options.results, command, peers, scenario, turns), flush=True)
                except Failure as failure:
                    print(f"bench: {scenario.name} could not be measured: {failure}", file=sys.stderr)
                    status = 1
    report.collect(options.results, [scenario.name for scenario in SCENARIOS])
    return status


if __name__ == "__main__":
    sys.exit(main())
