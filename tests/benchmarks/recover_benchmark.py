"""How long the incident's recovery takes, process start to exit, evidence included.

Run by hand: ``python -m tests.benchmarks.recover_benchmark [RUNS]``. Every run recovers a fresh
copy of the bundled incident. Prints medians; a machine shared with others makes them noisy.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

FIXTURE = Path(__file__).parents[2] / "data" / "fixtures" / "incident.tar.xz"
RECOVER = ("--backup", "backups/neotoma.prod.db.db", "--backup", "backups/neotoma.prod 2.db")


@dataclass(frozen=True)
class Measured:
    """One run of a command: seconds of wall clock and of processors, peak memory in MB."""

    wall: float
    cpu: float
    peak: float


def main() -> None:
    """Measure and print."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as name:
        pristine = Path(name) / "pristine"
        with tarfile.open(FIXTURE) as bundle:
            bundle.extractall(pristine, filter="data")
        print(f"{'':28}{'wall s':>10}{'cpu s':>10}{'peak MB':>10}")
        show("midden --help", [measure(("--help",), Path(name)) for _ in range(runs)])
        for title, raw in (("incident", False), ("incident, 6,110 raw files", True)):
            places = (Path(name) / f"{raw}-{number}" for number in range(runs))
            show(title, [recovery(pristine, place, raw_files=raw) for place in places])


def recovery(pristine: Path, place: Path, *, raw_files: bool) -> Measured:
    """Recover a fresh copy of the incident.

    Nothing is deleted between runs: some file systems create files slowly for a while after
    thousands were deleted, which no recovery has to suffer.
    """
    left_out = None if raw_files else shutil.ignore_patterns("sources_prod")
    shutil.copytree(pristine / "incident", place, ignore=left_out)
    os.sync()  # or the copying above is measured too
    words = ("recover", "--target", "data/neotoma.prod.db", *RECOVER, "--yes", "--vault", "vault")
    return measure(words, place)


def measure(words: Iterable[str], place: Path) -> Measured:
    """Run the command in ``place`` and measure the process."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "neotoma_core", *words]
    with subprocess.Popen(command, cwd=place, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - start
    if process.returncode:
        raise SystemExit(f"{' '.join(words)}: exit code {process.returncode}")
    return Measured(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e3)


def show(title: str, runs: list[Measured]) -> None:
    """Print the medians of one command."""
    figures = (
        statistics.median(getattr(run, name) for run in runs) for name in ("wall", "cpu", "peak")
    )
    wall, cpu, peak = figures
    print(f"{title:28}{wall:>10.2f}{cpu:>10.2f}{peak:>10.0f}")


if __name__ == "__main__":
    main()
