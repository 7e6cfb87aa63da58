"""How long a backup with its drill takes, and how much memory.

Run by hand, from the repository: ``python -m tests.benchmarks.backup_benchmark``, or with sizes:
``… 10000 100000``. Every database is invented, in the shape of the incident: first its log alone,
then with all its snapshots. Each backup is a process of its own. For comparison, in the same run:
``VACUUM INTO`` alone, and a plain copy of the file, synced. On a machine shared with others only
``cpu s`` says much.
"""

import json
import os
import resource
import shutil
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from neotoma_core.backup.request import BackupRequest
from neotoma_core.backup.take import back_up
from neotoma_core.files.atomic import sync_file
from neotoma_core.report.progress import Silent
from tests.benchmarks.invented_databases import make_database
from tests.benchmarks.rebuild_benchmark import measure_child
from tests.benchmarks.rebuild_benchmark import run_child as rebuild

SIZES: Final = (10_000, 100_000, 1_000_000)
STEPS: Final = ("copy", "measure", "compress", "drill")


def main(words: list[str]) -> None:
    """Measure and print, one line per size."""
    if words[:1] == ["--child"]:
        child(Path(words[1]), Path(words[2]))
        return
    sizes = [int(word) for word in words] or list(SIZES)
    print(f"{'observations':>13}{'MB':>8}" + "".join(f"{step:>9}" for step in STEPS), end="")
    print(f"{'whole s':>9}{'cpu s':>8}{'peak MB':>9}{'stored MB':>11}{'vacuum':>8}{'cp':>7}")
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            target = make_database(Path(folder) / f"{size}.db", size)
            os.sync()
            show(size, target)
            rebuild(target)
            os.sync()
            show(size, target)
            target.unlink()


def show(size: int, target: Path) -> None:
    """Measure one size and print its line."""
    copied, vacuumed = copy_seconds(target), vacuum_seconds(target)
    command = [sys.executable, "-m", "tests.benchmarks.backup_benchmark", "--child"]
    measured = measure_child(command, target)
    seconds = measured.seconds
    cells = [
        f"{target.stat().st_size / 1e6:>7,.0f}",
        *(f"{seconds[step]:>8.2f}" for step in STEPS),
        f"{measured.wall:>8.2f}",
        f"{measured.cpu:>7.2f}",
        f"{measured.peak:>8,.0f}",
        f"{seconds['stored'] / 1e6:>10,.0f}",
        f"{vacuumed:>7.2f}",
        f"{copied:>6.2f}",
    ]
    print(f"{size:>13,} " + " ".join(cells), flush=True)


def child(target: Path, vault: Path) -> None:
    """Back up and print the seconds of its steps, and what the process used."""
    report = back_up(BackupRequest(target, vault), datetime.now(UTC), Silent())
    assert report.drill is not None
    assert report.drill.outcome == "pass"
    used = resource.getrusage(resource.RUSAGE_SELF)
    numbers = {
        **report.seconds,
        "stored": report.stored_bytes,
        "cpu": used.ru_utime + used.ru_stime,
        "peak": used.ru_maxrss / 1024,
    }
    print(json.dumps(numbers))


def vacuum_seconds(target: Path) -> float:
    """Return how long SQLite's own ``VACUUM INTO`` takes."""
    other = target.with_suffix(".vacuum")
    start = time.perf_counter()
    with closing(sqlite3.connect(target)) as connection:
        connection.execute("VACUUM INTO ?", (str(other),))
    seconds = time.perf_counter() - start
    other.unlink()
    return seconds


def copy_seconds(target: Path) -> float:
    """Return how long a plain copy takes that is forced to the disk."""
    other = target.with_suffix(".copy")
    start = time.perf_counter()
    shutil.copyfile(target, other)
    sync_file(other)
    seconds = time.perf_counter() - start
    other.unlink()
    return seconds


if __name__ == "__main__":
    main(sys.argv[1:])
