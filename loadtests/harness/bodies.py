"""JSON bodies of two kibibytes: what `transform` and `validate` cost beside parsing the same with simdjson."""

from __future__ import annotations

import json
import statistics
import subprocess
from pathlib import Path

from . import load
from .peers import Peer
from .processes import PROXY_CORE, Failure, cpu, free_port, on_core, started
from .scenarios import Bench, Figures

BODY = json.dumps({
    "message": "The new checkout forgets my address", "email": "ada@example.com", "rating": 4, "debug": None,
    "events": [
        {"id": 1000 + n, "name": f"step {n}", "at": f"2026-11-{n + 1:02}T10:00:00Z", "ok": n % 3 != 0,
         "took": n * 1.5, "page": f"/checkout/{n}", "tags": ["web", "beta"]} for n in range(14)]},
    separators=(",", ":"))

MEMBERS = {
    "id": {"type": "integer", "minimum": 1}, "name": {"type": "string", "maxLength": 100},
    "at": {"type": "string", "minLength": 20}, "ok": {"type": "boolean"}, "took": {"type": "number", "minimum": 0},
    "page": {"type": "string", "pattern": "^/"}, "tags": {"type": "array", "items": {"enum": ["web", "beta", "app"]}}}
SCHEMA = {
    "type": "object", "required": ["message", "rating", "events"], "properties": {
        "message": {"type": "string", "minLength": 1, "maxLength": 5000}, "email": {"type": "string"},
        "rating": {"type": "integer", "minimum": 1, "maximum": 5},
        "events": {"type": "array", "maxItems": 100, "items": {
            "type": "object", "required": list(MEMBERS), "properties": MEMBERS, "additionalProperties": False}}}}

CONFIGURATION = """
workers: 1
listeners: {{ public: "127.0.0.1:{port}" }}
admin: "127.0.0.1:{admin}"
call_log: off
routes:
  plain: {{ match: POST /plain, respond: 204 }}
  transform:
    match: POST /transform
    plugins:
      - transform: {{ request: {{ set: {{ body.source: widget, body.version: 2, body.kind: complaint }},
          rename: {{ body.message: body.text }}, remove: [body.debug] }} }}
    respond: 204
  validate:
    match: POST /validate
    plugins: [{{ validate: {{ request: {{ schema: "{schema}" }} }} }}]
    respond: 204
"""


def costs(bench: Bench, peer: Peer, folder: Path) -> Figures:
    """User CPU of a request with the plugin, without one, and their difference beside a parse."""
    folder.mkdir(parents=True)
    body, schema, parse = folder / "body.json", folder / "schema.json", folder / "parse"
    body.write_text(BODY)
    schema.write_text(json.dumps(SCHEMA))
    source = bench.sources / "parse.cpp"
    built = subprocess.run(["g++", "-O3", "-o", parse, source, "-lsimdjson"], capture_output=True, text=True)
    if built.returncode:
        raise Failure(f"simdjson's parse does not build: {built.stderr[-500:]}")
    command = on_core(PROXY_CORE, [str(parse), str(body)])
    alone = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    script = folder / "post.lua"
    script.write_text(
        f'wrk.method = "POST"\nwrk.body = [[{BODY}]]\nwrk.headers["Content-Type"] = "application/json"\n')
    port = free_port()
    (folder / "sluice.conf").write_text(CONFIGURATION.format(port=port, admin=free_port(), schema=schema))
    program = [str(peer.binary), "run", "-c", str(folder / "sluice.conf")]
    turns: dict[str, list[float]] = {"plain": [], "transform": [], "validate": []}
    with started(program, PROXY_CORE, port, folder) as (pid, _):
        for _ in range(5):
            for name, figures in turns.items():
                before = cpu(pid)
                answered = load.wrk(f"http://127.0.0.1:{port}/{name}", 32, bench.seconds, script=script).requests
                figures.append((cpu(pid) - before).user * 1e6 / answered)
    more = {
        name: statistics.median(with_it - without for with_it, without in zip(turns[name], turns["plain"]))
        for name in ("transform", "validate")}
    return {
        "transform, × parse": more["transform"] / alone, "validate, × parse": more["validate"] / alone,
        "simdjson µs/parse": alone, "user µs/transform": more["transform"], "user µs/validate": more["validate"],
        "user µs/request, plain": statistics.median(turns["plain"]), "octets": float(len(BODY))}
