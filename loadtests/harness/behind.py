"""HTTP/2 on both sides: the same proxies, told that their backend speaks it, in front of nginx as that backend."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from . import load
from .peers import Peer, Ports
from .processes import LOAD_CORE, Failure, free_port, started
from .scenarios import Bench, Figures, with_cpu

# What says in each template that the backend speaks HTTP/2 with prior knowledge.
CHANGES = {
    "sluice": ("sluice.conf", "    balance: least_request\n", "    balance: least_request\n    protocol: h2\n"),
    "haproxy": ("haproxy.cfg", "  server a ", "  default-server proto h2\n  server a "),
    "nginx": ("nginx.conf", "proxy_http_version 1.1;\n      proxy_set_header Connection \"\";", "proxy_http_version 2;"),
    "envoy": ("envoy.yaml", "      connect_timeout: 5s\n", """      connect_timeout: 5s
      typed_extension_protocol_options:
        envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
          "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
          explicit_http_config: { http2_protocol_options: { max_concurrent_streams: 100 } }
"""),
}

BACKEND = """
daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid backend.pid;
error_log stderr crit;
events { worker_connections 16000; }
http {
  access_log off;
  keepalive_requests 1000000000;
  server {
    listen 127.0.0.1:@PORT@ backlog=4096;
    http2 on;
    http2_max_concurrent_streams 128;
    location / { default_type text/plain; return 200 "@BODY@"; }
  }
}
"""


@dataclass(frozen=True)
class Behind(Peer):
    """A peer whose backend speaks HTTP/2."""

    def configure(self, backend: int, folder: Path) -> Ports:
        ports = super().configure(backend, folder)
        name, old, new = CHANGES[self.name]
        text = (folder / name).read_text()
        if text.count(old) != 1:
            raise Failure(f"{name} has {text.count(old)} places that say what the backend speaks")
        (folder / name).write_text(text.replace(old, new))
        return ports


def h2_behind(bench: Bench, peer: Peer, folder: Path) -> Figures:
    if bench.nginx is None:
        raise Failure("nginx is not installed, which is the backend that speaks HTTP/2")
    port, place = free_port(), folder / "backend"
    place.mkdir(parents=True)
    (place / "backend.conf").write_text(BACKEND.replace("@PORT@", str(port)).replace("@BODY@", "x" * 256))
    command = [str(bench.nginx), "-p", str(place), "-c", str(place / "backend.conf"), "-e", "stderr"]
    behind = Behind(**{field.name: getattr(peer, field.name) for field in fields(peer)})
    with started(command, LOAD_CORE, port, place):
        with behind.running(port, folder / "proxy") as running:
            load.h2load_streams(running.h2c_url(), 10, 100, 1)
            return with_cpu(running, lambda: load.h2load_streams(running.h2c_url(), 10, 100, bench.seconds), "request")
