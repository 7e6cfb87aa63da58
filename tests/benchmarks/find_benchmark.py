"""How long a search takes: a tree of 200,000 files, and copies of a million observations.

Run by hand, from the repository: ``python -m tests.benchmarks.find_benchmark [FILES [ROWS]]``. The
tree has one in ten files in a folder that is skipped, one in fifty compressed, and ten copies of a
small database in odd places. The copies of the second part are two large ones, one of them without
every tenth observation. Every search is a process of its own. A machine shared with others makes
the wall clock noisy; ``cpu s`` says more.
"""

import gzip
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Final

from tests.benchmarks.invented_databases import make_database
from tests.support.databases import make_database as make_small
from tests.support.proven import observe, owner

FILES: Final = 200_000
ROWS: Final = 1_000_000
COPIES: Final = 10
PER_FOLDER: Final = 200


def main() -> None:
    """Measure and print."""
    files = int(sys.argv[1]) if len(sys.argv) > 1 else FILES
    rows = int(sys.argv[2]) if len(sys.argv) > 2 else ROWS
    with tempfile.TemporaryDirectory() as name:
        print(f"{'':44}{'wall s':>10}{'cpu s':>10}{'peak MB':>10}")
        tree = grow(Path(name) / "tree", files)
        show(f"find, {files:,} files, {COPIES} copies", tree)
        show("the same again, the disk's cache warm", tree)
        shutil.rmtree(tree)
        large = Path(name) / "large"
        large.mkdir()
        make_database(large / "neotoma.prod.db", rows)
        shutil.copyfile(large / "neotoma.prod.db", large / "older.db")
        with closing(sqlite3.connect(large / "older.db", isolation_level=None)) as connection:
            connection.execute("DELETE FROM observations WHERE rowid % 10 = 0")
        show(f"find, 2 copies of {rows:,} observations", large)


def grow(tree: Path, files: int) -> Path:
    """Make a tree of so many files, with copies of a small database in it."""
    packed = gzip.compress(b"some text " * 100)
    for number in range(files):
        kind = "node_modules" if number % 10 == 0 else "documents"
        folder = tree / kind / f"{number // PER_FOLDER}"
        if number % PER_FOLDER < 10:  # the first of each kind
            folder.mkdir(parents=True, exist_ok=True)
        content = packed if number % 50 == 1 else b"x" * (number % 3000)
        (folder / f"file {number}.txt").write_bytes(content)
    rows = {"observations": [observe(n) for n in range(500)], "entities": [owner()]}
    small = make_small(tree / "neotoma.db", rows)
    for number in range(COPIES - 1):
        shutil.copyfile(small, tree / "documents" / str(number) / f"copy ({number})")
    os.sync()
    return tree


def show(title: str, place: Path) -> None:
    """Search once and print what it took."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "neotoma_core", "find", str(place)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - start
    if process.returncode:
        raise SystemExit(f"{title}: exit code {process.returncode}")
    cpu, peak = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e3
    print(f"{title:44}{wall:>10.2f}{cpu:>10.2f}{peak:>10.0f}", flush=True)


if __name__ == "__main__":
    main()
