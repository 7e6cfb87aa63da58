"""How long a rebuild takes, evidence and proof included, and how much memory.

Run by hand, from the repository: ``python -m tests.benchmarks.rebuild_benchmark [--ten-million]``,
or with sizes: ``… 10000 100000``. Every database is invented, in the shape of the incident, and
has no snapshots yet: all of them are written. Each rebuild is a process of its own. ``copy`` is the
time to copy the same log with ATTACH and INSERT; ``ratio`` the rebuild's to that. Steps of the
reduction are those of one thread; staging runs at the same time and is not counted. On a
machine shared with others only ``cpu s`` says much.
"""

import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from neotoma_core.neotoma.ddl import create_database
from neotoma_core.rebuild.rebuild import rebuild_snapshots
from neotoma_core.rebuild.request import RebuildRequest, rebuild_run
from neotoma_core.report.progress import Silent
from tests.benchmarks.invented_databases import make_database

SIZES: Final = (10_000, 100_000, 1_000_000)
TEN_MILLION: Final = 10_000_000
STEPS: Final = ("rank", "explode", "values", "reduce", "assemble")
ROOT: Final = Path(__file__).parents[2]


@dataclass(frozen=True)
class Measured:
    """A child process: seconds by step, of wall clock and of processors; peak memory in MB."""

    seconds: dict[str, float]
    wall: float
    cpu: float
    peak: float


def main(words: list[str]) -> None:
    """Measure and print, one line per size."""
    if words[:1] == ["--child"]:
        child(Path(words[1]), Path(words[2]))
        return
    sizes = [int(word) for word in words if word.isdigit()] or list(SIZES)
    if "--ten-million" in words:
        sizes.append(TEN_MILLION)
    with tempfile.TemporaryDirectory() as folder:
        print(f"{'observations':>13}{'evidence':>10}{'read':>9}", end="")
        print("".join(f"{step:>9}" for step in STEPS), end="")
        print(f"{'all':>9}{'write':>9}{'whole s':>9}{'cpu s':>9}{'obs/s':>10}", end="")
        print(f"{'peak MB':>9}{'copy':>8}{'ratio':>7}")
        for size in sizes:
            target = make_database(Path(folder) / f"{size}.db", size)
            os.sync()
            copied = copy_seconds(target)
            measured = run_child(target)
            show(size, measured, reduce_steps(target, size), copied)
            target.unlink()


def run_child(target: Path) -> Measured:
    """Rebuild ``target`` in a process of its own."""
    return measure_child(
        [sys.executable, "-m", "tests.benchmarks.rebuild_benchmark", "--child"], target
    )


def measure_child(command: list[str], target: Path) -> Measured:
    """Run a child that prints its seconds by step."""
    with tempfile.TemporaryDirectory(dir=target.parent) as vault:
        start = time.perf_counter()
        words = [*command, str(target), f"{vault}/vault"]
        done = subprocess.run(words, check=True, capture_output=True, cwd=ROOT)
        wall = time.perf_counter() - start
    seconds = json.loads(done.stdout)
    return Measured(seconds, wall, seconds.pop("cpu"), seconds.pop("peak"))


def child(target: Path, vault: Path) -> None:
    """Rebuild and print the seconds of its steps, and what the process used."""
    with rebuild_run(RebuildRequest(target, vault), datetime.now(UTC)) as run:
        report = rebuild_snapshots(run, lambda _: True, Silent())
    used = resource.getrusage(resource.RUSAGE_SELF)
    numbers = {**report.seconds, "cpu": used.ru_utime + used.ru_stime}
    print(json.dumps({**numbers, "peak": used.ru_maxrss / 1024}))


def copy_seconds(target: Path) -> float:
    """Return how long it takes to copy the log into another database."""
    other = target.with_suffix(".copy")
    with closing(sqlite3.connect(other, isolation_level=None)) as connection:
        for statement in create_database():
            connection.execute(statement)
        connection.execute("ATTACH ? AS log", (str(target),))
        start = time.perf_counter()
        connection.execute("BEGIN")
        for table in ("observations", "relationship_observations"):
            connection.execute(f"INSERT INTO main.{table} SELECT * FROM log.{table}")
        connection.execute("COMMIT")
        seconds = time.perf_counter() - start
    other.unlink()
    return seconds


def reduce_steps(target: Path, size: int) -> dict[str, float]:
    """Return seconds by step of reducing a bucket's worth of the log, scaled to all of it."""
    code = (
        "import sys, json, pathlib, polars as pl; from tests.benchmarks.reduce_benchmark import "
        "registry, measure_steps; from neotoma_core.sqlite.rows import read_rows; "
        "from neotoma_core.neotoma.tables import BY_NAME; table = BY_NAME['observations']; "
        "some = pl.int_range(1, 500_001, dtype=pl.Int64, eager=True); "
        "frame = read_rows(pathlib.Path(sys.argv[1]), table, table.names, some); "
        "print(json.dumps(dict(measure_steps(frame, registry()).seconds)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(target)], check=True, capture_output=True, cwd=ROOT
    )
    scale = max(1.0, size / 500_000)
    return {step: seconds * scale for step, seconds in json.loads(done.stdout).items()}


def show(size: int, measured: Measured, steps: dict[str, float], copied: float) -> None:
    """Print one line."""
    seconds = measured.seconds
    cells = [
        f"{seconds['evidence']:>9.2f}",
        f"{seconds['read']:>8.2f}",
        *(f"{steps.get(step, 0.0):>8.2f}" for step in STEPS),
        f"{seconds['reduce']:>8.2f}",
        f"{seconds['publish']:>8.2f}",
        f"{measured.wall:>8.2f}",
        f"{measured.cpu:>8.2f}",
        f"{size / measured.wall:>9,.0f}",
        f"{measured.peak:>8,.0f}",
        f"{copied:>7.2f}",
        f"{measured.wall / copied:>6.1f}",
    ]
    print(f"{size:>13,} " + " ".join(cells), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
