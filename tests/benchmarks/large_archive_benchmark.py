"""Archives of any size: ``python -m tests.benchmarks.large_archive_benchmark [ROWS]…``.

An archive of ROWS versions of observations is invented, with moved, removed and erased rows. Each
command is a process of its own. Prints its seconds, those of processors, and the most memory that
it or a process it started had; for a job on a Dask cluster also those of its two workers.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import dask
from distributed import Client, LocalCluster

from tests.benchmarks.aside import measure_aside
from tests.benchmarks.invented_archives import make_archive

SIZES: Final = (100_000, 1_000_000)
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_MIB: Final = 1024


def main(words: list[str]) -> None:
    """Measure each command, for each size."""
    print(f"{'versions':>12}  {'command':<34}{'seconds':>9}{'cpu s':>8}{'peak MB':>9}")
    for size in [int(word) for word in words] or SIZES:
        with tempfile.TemporaryDirectory(prefix="midden-benchmark-") as name:
            measure_all(Path(name), size)


def measure_all(folder: Path, size: int) -> None:
    """Measure the commands on an archive of ``size`` versions."""
    vault = folder / "vault"
    place = make_archive(vault, size)
    measure(size, "verify --archive", "verify", "--archive", place)
    own = ("--vault", vault)
    to = ("--target", folder / "restored.db", *own, "--yes")
    measure(size, "restore --from-archive", "restore", "--from-archive", place, *to)
    rebuild = ("rebuild", "--archive", place, *own, "--out")
    measure(size, "rebuild --archive --out", *rebuild, folder / "rebuilt.db")
    on_workers(size, folder, (*rebuild, folder / "on-workers.db"))
    measure(size, "export --archive", "export", "--archive", place, *own, "--to", folder / "export")
    copy = Path(shutil.copytree(vault, folder / "compacted"))
    measure(size, "compact --apply", "compact", "--archive", copy / "archive", "--apply")


def on_workers(size: int, folder: Path, words: tuple[str | Path, ...]) -> None:
    """Measure a rebuild by two workers, and how much they used."""
    parts = folder / "parts"
    parts.mkdir()
    with (
        dask.config.set({"distributed.worker.memory.terminate": False}),
        LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=2,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            env={"POLARS_MAX_THREADS": "1"},
        ) as cluster,
        Client(cluster) as client,  # type: ignore[no-untyped-call]
    ):
        means = ("--task-runner", "dask", "--scheduler", cluster.scheduler_address)
        measure(size, "rebuild --task-runner dask", *words, *means, "--parts", parts)
        processes: Any = client.run(os.getpid)
        used = [_used_by(pid) for pid in processes.values()]
    show(
        size,
        "  its two workers, the larger one",
        0,
        sum(u[0] for u in used),
        max(u[1] for u in used),
    )


def _used_by(pid: int) -> tuple[float, float]:
    """Return the seconds of processors that a process used, and its peak memory in MB."""
    numbers = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    status = Path(f"/proc/{pid}/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0])
    return (int(numbers[11]) + int(numbers[12])) / _TICKS, peak / _MIB


def measure(size: int, title: str, *words: str | Path) -> None:
    """Run one command and print what it took."""
    used = measure_aside(sys.executable, "-m", "neotoma_core", *words)
    if used.code:
        raise SystemExit(f"{title}: exit code {used.code}")
    show(size, title, used.seconds, used.processors, used.peak)


def show(size: int, title: str, seconds: float, cpu: float, peak: float) -> None:
    """Print one line."""
    wall = f"{seconds:.1f}" if seconds else ""
    print(f"{size:>12,}  {title:<34}{wall:>9}{cpu:>8.1f}{peak:>9,.0f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
