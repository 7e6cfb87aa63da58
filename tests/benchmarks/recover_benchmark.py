"""How long the incident takes, process start to exit, evidence included; and how soon a line shows.

Run by hand: ``python -m tests.benchmarks.recover_benchmark [RUNS] [--against FOLDER]``. Every run
gets a fresh copy of the bundled incident. Prints medians; a machine shared with others makes the
wall clock noisy, seconds of processors less so. ``--against``: another checkout, whose figures are
printed beside, run by run in turn. Modules are compiled before, as an installation has them.
"""

import argparse
import compileall
import os
import pty
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

OWN: Final = Path(__file__).parents[2]
FIXTURE: Final = OWN / "data" / "fixtures" / "incident.tar.xz"
TARGET: Final = "data/neotoma.prod.db"
BACKUPS: Final = ("backups/neotoma.prod.db.db", "backups/neotoma.prod 2.db")
VAULT: Final = ("--vault", "vault")
RECOVER: Final = (
    *("recover", "--target", TARGET, "--backup", BACKUPS[0], "--backup", BACKUPS[1]),
    *("--yes", *VAULT),
)
COMMANDS: Final = (
    ("--help",),
    ("recover", "--target", TARGET, "--backup", BACKUPS[0], "--dry-run", *VAULT),
    ("find", "backups"),
    ("status", TARGET, "--search", "Desktop", *VAULT),
    ("show", "--target", TARGET),
    ("diff", BACKUPS[0], BACKUPS[1]),
    ("backup", "--target", TARGET, *VAULT),
    ("backups", *VAULT),
    ("verify", *VAULT),
    ("rebuild", "--check", "--target", TARGET, *VAULT),
    ("archive", "--target", TARGET, *VAULT),
    ("merges", "--target", TARGET),
    ("doctor", TARGET),
)


@dataclass(frozen=True)
class Measured:
    """One run of a command: seconds of wall clock and of processors, peak memory in MB.

    ``first``: seconds until something showed, where that was looked at.
    """

    wall: float
    cpu: float
    peak: float
    first: float = 0.0


@dataclass(frozen=True)
class Prepared:
    """The incident, unpacked; and with it, recovered into a vault once, what follows from there."""

    pristine: Path
    recovered: Path
    entity: str
    scratch: Path


def main() -> None:
    """Measure and print."""
    words = argparse.ArgumentParser()
    words.add_argument("runs", type=int, nargs="?", default=3)
    words.add_argument("--against", type=Path)
    asked = words.parse_args()
    checkouts = [OWN, *([asked.against.resolve()] if asked.against else [])]
    for checkout in checkouts:
        compileall.compile_dir(checkout / "neotoma_core", quiet=1)
    with tempfile.TemporaryDirectory() as name:
        ready = prepare(Path(name))
        heads = "".join(f"{'wall s':>10}{'cpu s':>8}{'peak MB':>9}" for _ in checkouts)
        print(f"{'':34}{heads}")
        for title, run in rows(ready):
            found = [[run(place) for place in checkouts] for _ in range(asked.runs)]
            print(f"{title:34}" + "".join(map(of_all, zip(*found, strict=True))), flush=True)
        print(f"\n{'until something shows':34}" + f"{'s':>10}" * len(checkouts))
        for command in COMMANDS:
            shown = [
                [look(place, command, ready) for place in checkouts] for _ in range(asked.runs)
            ]
            firsts = [statistics.median(r.first for r in runs) for runs in zip(*shown, strict=True)]
            print(f"{command[0]:34}" + "".join(f"{first:>10.2f}" for first in firsts), flush=True)


def prepare(scratch: Path) -> Prepared:
    """Unpack the incident, and recover a copy of it with all that belongs to it."""
    with tarfile.open(FIXTURE) as bundle:
        bundle.extractall(scratch / "pristine", filter="data")
    pristine, recovered = scratch / "pristine" / "incident", scratch / "recovered"
    shutil.copytree(pristine, recovered, ignore=shutil.ignore_patterns("sources_prod"))
    measure(OWN, RECOVER, recovered)
    with closing(sqlite3.connect(recovered / TARGET)) as connection:
        (entity,) = connection.execute(
            "SELECT entity_id FROM observations GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1"
        ).fetchone()
    return Prepared(pristine, recovered, entity, scratch)


def rows(ready: Prepared) -> Iterable[tuple[str, Callable[[Path], Measured]]]:
    """Yield what is measured: its name, and what runs it with a checkout."""
    erase = ("erase", "--target", TARGET, "--entity", ready.entity, "--yes", *VAULT)
    status = ("status", TARGET, "--search", "Desktop", *VAULT)
    kinds = (
        ("midden --help", ready.recovered, ("--help",), False),
        ("incident, no archive", ready.pristine, (*RECOVER, "--no-archive"), False),
        ("incident", ready.pristine, RECOVER, False),
        ("incident, 6,110 raw files", ready.pristine, RECOVER, True),
        ("erase one entity of it", ready.recovered, erase, False),
        ("status, without a search", ready.recovered, status, False),
    )
    for title, origin, words, raw_files in kinds:
        yield title, partial(run_once, ready, origin, words, raw_files=raw_files)


def run_once(
    ready: Prepared, origin: Path, words: Sequence[str], checkout: Path, *, raw_files: bool
) -> Measured:
    """Run a command of a checkout in a fresh copy."""
    return measure(checkout, words, copy(origin, ready.scratch, raw_files=raw_files))


def copy(origin: Path, scratch: Path, *, raw_files: bool) -> Path:
    """Return a fresh copy, which is on the disk.

    Nothing is deleted between runs: some file systems create files slowly for a while after
    thousands were deleted, which no recovery has to suffer.
    """
    place = Path(tempfile.mkdtemp(dir=scratch)) / "incident"
    left_out = None if raw_files else shutil.ignore_patterns("sources_prod")
    shutil.copytree(origin, place, ignore=left_out)
    os.sync()  # or the copying is measured too
    return place


def measure(checkout: Path, words: Sequence[str], place: Path) -> Measured:
    """Run a command of a checkout in ``place`` and measure the process."""
    start = time.perf_counter()
    with subprocess.Popen(
        command(words),
        cwd=place,
        env=environment(checkout, place),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        usage = wait_for(process)
    if process.returncode not in (0, 6):  # status: it lost data
        raise SystemExit(f"{' '.join(words)}: exit code {process.returncode}")
    wall = time.perf_counter() - start
    return Measured(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e3)


def look(checkout: Path, words: Sequence[str], ready: Prepared) -> Measured:
    """Run a command at a terminal; measure when the first of it shows."""
    place = copy(ready.recovered, ready.scratch, raw_files=False)
    ours, theirs = pty.openpty()
    start = time.perf_counter()
    process = subprocess.Popen(
        command(words),
        cwd=place,
        env=environment(checkout, place),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    first = None
    with suppress(OSError):  # closed by the other side
        while os.read(ours, 65_536):
            first = first or time.perf_counter() - start
    usage = wait_for(process)
    os.close(ours)
    wall = time.perf_counter() - start
    cpu = usage.ru_utime + usage.ru_stime
    return Measured(wall, cpu, usage.ru_maxrss / 1e3, wall if first is None else first)


def command(words: Sequence[str]) -> list[str]:
    """Return how a command is started."""
    return [sys.executable, "-m", "neotoma_core", *words]


def environment(checkout: Path, place: Path) -> dict[str, str]:
    """Return the environment of a command: that checkout, and a home that is new."""
    home = place.parent
    kept = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**kept, "HOME": str(home), "PYTHONPATH": str(checkout)}


def wait_for(process: "subprocess.Popen[bytes]") -> resource.struct_rusage:
    """Wait for a process; return what it used, with all that it waited for."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage


def of_all(runs: Sequence[Measured]) -> str:
    """Return the medians of some runs as they are printed."""
    wall, cpu, peak = (
        statistics.median(getattr(run, name) for run in runs) for name in ("wall", "cpu", "peak")
    )
    return f"{wall:>10.2f}{cpu:>8.2f}{peak:>9.0f}"


if __name__ == "__main__":
    main()
