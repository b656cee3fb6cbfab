"""Medians, gates, the Markdown tables and the JSON that are kept."""

from __future__ import annotations

import json
import math
import os
import platform
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from .peers import Peer
from .scenarios import Figures, Gate, Scenario

Turns = dict[str, list[Figures]]


@dataclass(frozen=True)
class Verdict:
    text: str
    held: bool | None


def medians(turns: list[Figures]) -> Figures:
    return {name: statistics.median(turn[name] for turn in turns) for name in turns[0]}


def judge(gate: Gate, turns: Turns) -> Verdict:
    """Whether a gate held, and if not by how much it was missed."""
    ours = turns.get("sluice", [])
    theirs = next((turns[name] for name in (gate.against or "sluice").split(",") if turns.get(name)), [])
    if not ours or not theirs or gate.figure not in ours[0]:
        return Verdict(f"not measured: {gate.figure}", None)
    if gate.against and "," in gate.against:
        medians_of = {name: statistics.median(turn[gate.figure] for turn in turns[name])
                      for name in gate.against.split(",") if turns.get(name)}
        best = min(medians_of, key=medians_of.get)
        value, unit = statistics.median(turn[gate.figure] for turn in ours) / medians_of[best], f" × {best}, the best"
    elif gate.against is None:
        value, unit = statistics.median(turn[gate.figure] for turn in ours), ""
    else:
        pairs = [mine[gate.figure] / other[gate.figure] for mine, other in zip(ours, theirs)]
        value, unit = statistics.median(pairs), f" × {gate.against} (pairs {min(pairs):.2f} to {max(pairs):.2f})"
    held = value <= gate.limit
    by = "held" if held else f"MISSED by {(value / gate.limit - 1) * 100:.0f} %"
    return Verdict(f"{by}: {gate.figure} {number(value)}{unit}, at most {number(gate.limit)}", held)


def number(value: float) -> str:
    if math.isnan(value):
        return "–"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def section(scenario: Scenario, turns: Turns) -> str:
    """The scenario's part of the report, in Markdown."""
    lines = [f"### {scenario.name}: {scenario.title}", ""]
    if turns:
        columns = list(next(iter(turns.values()))[0])
        lines += [f"| proxy | turns | {' | '.join(columns)} |", "|---" * (len(columns) + 2) + "|"]
        for name, figures in turns.items():
            middle = medians(figures)
            cells = " | ".join(number(middle[column]) for column in columns)
            lines.append(f"| {name} | {len(figures)} | {cells} |")
        lines.append("")
    lines += [f"- {judge(gate, turns).text}" for gate in scenario.gates]
    return "\n".join(lines).rstrip() + "\n"


def machine() -> dict[str, str]:
    model = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cpu": f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB",
        "kernel": platform.release(),
        "system": platform.freedesktop_os_release().get("PRETTY_NAME", platform.system()),
    }


def save(folder: Path, command: str, peers: list[Peer], scenario: Scenario, turns: Turns) -> str:
    """Keeps the scenario's figures as NAME.json and its table as NAME.md; returns the table."""
    host = machine()
    versions = {peer.name: peer.version() for peer in peers if peer.name in turns}
    now = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    record = {
        "scenario": scenario.name, "time": now, "command": command, "machine": host, "versions": versions,
        "turns": turns, "gates": [vars(judge(gate, turns)) for gate in scenario.gates],
    }
    origin = f"{now}; {host['cpu']}; {host['system']}, Linux {host['kernel']}; {', '.join(versions.values())}; `{command}`"
    text = f"{section(scenario, turns)}\n{origin}\n"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{scenario.name}.json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    (folder / f"{scenario.name}.md").write_text(text)
    return text


def collect(folder: Path, names: list[str]) -> None:
    """Joins the kept tables, those of earlier runs too, into results/README.md."""
    head = (
        "# Benchmark results\n\nMedians over the turns; a gate's ratio is the median of the ratios of each turn. "
        "Proxy on core 0, load and backend on core 1. Written by `make bench`.\n")
    kept = [folder / f"{name}.md" for name in names]
    (folder / "README.md").write_text("\n".join([head, *(path.read_text() for path in kept if path.exists())]))
