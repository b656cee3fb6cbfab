"""Starting processes on a core, reading what they cost, and stopping them by id."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

PROXY_CORE = 0
LOAD_CORE = 1
TICKS = os.sysconf("SC_CLK_TCK")


class Failure(Exception):
    """A run that cannot be used; the text says why."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def on_core(core: int, command: list[str]) -> list[str]:
    return ["taskset", "-c", str(core), *command]


def tree(pid: int) -> list[int]:
    """The process and all its descendants."""
    found = [pid]
    for parent in found:
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{parent}/task"):
                found += map(int, Path(f"/proc/{parent}/task/{task}/children").read_text().split())
    return found


@dataclass
class CPU:
    """CPU time in seconds."""

    user: float
    system: float

    def __sub__(self, earlier: CPU) -> CPU:
        return CPU(self.user - earlier.user, self.system - earlier.system)


def cpu(pid: int) -> CPU:
    """What the process tree has used so far."""
    used = CPU(0, 0)
    for member in tree(pid):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{member}/stat").read_text().rsplit(") ", 1)[1].split()
            used.user += int(fields[11]) / TICKS
            used.system += int(fields[12]) / TICKS
    return used


def rss_kib(pid: int) -> int:
    """Resident memory of the process tree; pages that its members share count once each."""
    total = 0
    for member in tree(pid):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{member}/status").read_text().splitlines():
                if line.startswith("VmRSS:"):
                    total += int(line.split()[1])
    return total


@contextlib.contextmanager
def peak_rss(pid: int, every: float = 0.01) -> Iterator[list[int]]:
    """Watches the tree's RSS while the block runs; the list holds the highest seen, in KiB."""
    highest, done = [rss_kib(pid)], threading.Event()

    def watch() -> None:
        while not done.wait(every):
            highest[0] = max(highest[0], rss_kib(pid))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield highest
    finally:
        done.set()
        watcher.join()
        highest[0] = max(highest[0], rss_kib(pid))


def wait_until_open(port: int, process: subprocess.Popen, log: Path, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise Failure(f"{process.args} exited with {process.returncode}:\n{log.read_text()[-2000:]}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.0005)
    raise Failure(f"{process.args} did not listen on {port} within {seconds} s")


@contextlib.contextmanager
def started(
    command: list[str], core: int, port: int, folder: Path, environment: dict[str, str] | None = None, seconds: float = 30
) -> Iterator[tuple[int, float]]:
    """Runs a server pinned to a core while the block runs; yields its process id, once it listens, and its birth."""
    log = folder / "output.log"
    born = time.monotonic()
    with log.open("ab") as output:
        process = subprocess.Popen(
            on_core(core, command), cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            env={**os.environ, **(environment or {})}, start_new_session=True)
    try:
        wait_until_open(port, process, log, seconds)
        yield process.pid, born
        if process.poll() is not None:
            raise Failure(f"{command} died with {process.returncode}:\n{log.read_text()[-2000:]}")
    finally:
        stop(process)


def stop(process: subprocess.Popen) -> None:
    members = tree(process.pid)
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(3)
    except subprocess.TimeoutExpired:
        for member in members:
            with contextlib.suppress(ProcessLookupError):
                os.kill(member, signal.SIGKILL)
        process.wait()
