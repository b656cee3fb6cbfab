"""Counts instructions of a proxy by callgrind: the same figure however busy the machine is."""

from __future__ import annotations

import contextlib
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator

from .processes import PROXY_CORE, started


@dataclass
class Counter:
    pid: int
    folder: Path
    dumps: int = 0

    @property
    def latest(self) -> Path:
        """The profile of the last count."""
        return self.folder / f"counts.{self.dumps}"

    def count(self, work: Callable[[], None]) -> int:
        """Instructions of all threads while `work` ran."""
        self.control("-z")
        work()
        self.control("-d")
        self.dumps += 1
        return int(re.search(r"^(?:totals|summary): (\d+)", self.latest.read_text(), re.MULTILINE).group(1))

    def control(self, *arguments: str) -> None:
        subprocess.run(["callgrind_control", *arguments, str(self.pid)], check=True, capture_output=True, timeout=60)


@contextlib.contextmanager
def counting(program: Path, arguments: list[str], port: int, folder: Path) -> Iterator[Counter]:
    """Runs a proxy under callgrind, which counts nothing until it has started and listens."""
    # Valgrind stumbles over this compiler's debug information; instructions are the same without it.
    binary = folder / "counted"
    subprocess.run(["strip", "--strip-debug", "-o", binary, program], check=True)
    command = [
        "valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={folder}/counts", str(binary),
        *arguments]
    # Hashes seeded by chance would walk different ways in different runs.
    environment = {"SWIFT_DETERMINISTIC_HASHING": "1"}
    with started(command, PROXY_CORE, port, folder, environment, seconds=300) as (pid, _):
        counter = Counter(pid, folder)
        counter.control("-i", "on")
        yield counter
