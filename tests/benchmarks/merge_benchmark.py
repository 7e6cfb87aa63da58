"""How long merges of a large database take, next to a rebuild of it, process start to exit.

Run by hand: ``python -m tests.benchmarks.merge_benchmark [OBSERVATIONS]``, by default a million.
The backup is invented, in the shape of the incident, with its snapshots. Merged are: one new
observation for a hundredth of the entities; all of it into a target that has 99 of 100 of its
observations; all of it into nothing. Evidence, proofs and the commit are included, the archive
(which has a benchmark of its own) is not; ``of the rebuild`` is the ratio of the wall clocks in
this run.
"""

import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.benchmarks.invented_databases import make_database, make_update

ROOT: Final = Path(__file__).parents[2]
MIDDEN: Final = (sys.executable, "-m", "neotoma_core")


@dataclass(frozen=True)
class Measured:
    """One command: seconds of wall clock and of processors, peak memory in MB."""

    wall: float
    cpu: float
    peak: float


def main(words: list[str]) -> None:
    """Measure and print."""
    size = int(words[0]) if words else 1_000_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        backup = make_database(folder / "backup.db", size)
        rebuilt = measure(folder, "rebuild", "--target", str(backup))
        print(f"{size:>11,} observations{'wall s':>20}{'cpu s':>9}{'peak MB':>9}  of the rebuild")
        show("rebuild", rebuilt, rebuilt)
        cases: dict[str, Callable[[], tuple[Path, Path]]] = {
            "merge, 1 % of entities touched": lambda: one_in_a_hundred(folder, backup),
            "merge into 99 % of it": lambda: (without_some(folder, backup), backup),
            "merge into nothing": lambda: (folder / "new.db", backup),
        }
        for label, made in cases.items():
            target, other = made()
            os.sync()
            show(label, measure(folder, *recover(target, other)), rebuilt)
            target.unlink()


def one_in_a_hundred(folder: Path, backup: Path) -> tuple[Path, Path]:
    """Return a copy of the backup and a backup with news of a hundredth of its entities."""
    target = Path(shutil.copy(backup, folder / "target.db"))
    with closing(sqlite3.connect(target)) as connection:
        (entities,) = connection.execute("SELECT count(*) FROM entities").fetchone()
    return target, make_update(folder / "update.db", target, entities // 100)


def without_some(folder: Path, backup: Path) -> Path:
    """Return a copy of the backup without a hundredth of its observations and their snapshots."""
    target = Path(shutil.copy(backup, folder / "target.db"))
    with closing(sqlite3.connect(target)) as connection, connection:
        connection.execute(
            "DELETE FROM entity_snapshots WHERE entity_id IN "
            "(SELECT entity_id FROM observations WHERE rowid % 100 = 7)"
        )
        connection.execute("DELETE FROM observations WHERE rowid % 100 = 7")
    return target


def recover(target: Path, backup: Path) -> tuple[str, ...]:
    """Return the words of a merge."""
    return "recover", "--target", str(target), "--backup", str(backup), "--no-archive"


def measure(folder: Path, *words: str) -> Measured:
    """Run a command with a vault of its own and measure it from outside."""
    with tempfile.TemporaryDirectory(dir=folder) as vault:
        command = [*MIDDEN, *words, "--yes", "--json", "--vault", f"{vault}/vault"]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(words)}: exit code {process.returncode}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Measured(wall, cpu, used.ru_maxrss / 1024)


def show(label: str, found: Measured, rebuilt: Measured) -> None:
    """Print one line."""
    ratio = found.wall / rebuilt.wall
    print(
        f"{label:<32}{found.wall:>12.2f}{found.cpu:>9.2f}{found.peak:>9,.0f}{ratio:>8.2f}",
        flush=True,
    )


if __name__ == "__main__":
    main(sys.argv[1:])
