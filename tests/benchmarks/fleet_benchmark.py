"""Time and overhead of fleets: `python -m tests.benchmarks.fleet_benchmark [N [RUNNER...]]`.

Makes N small databases (1,000) per runner. One in fifty is damaged, larger than the disk, locked,
or slow (a hundred times as many rows). Each runner (``processes``, ``threads``, ``dask``,
``prefect-threads``, ``prefect-dask``) backs all of them up, repeats all drills and looks at all of
them. Prints a row per runner and operation: seconds in all; milliseconds per database; of them in
the operation itself; and what the runner adds, with two workers. Those with Prefect and Dask get a
server, a scheduler and two workers on this machine.
"""

import os
import shutil
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, cast
from unittest import mock

from neotoma_core.fleet.report import FleetRow
from neotoma_core.fleet.run import FleetRequest, run_fleet
from neotoma_core.fleet.task import FleetOptions, Operation
from neotoma_core.report.progress import Silent
from neotoma_core.settings.configuration import read_configuration
from neotoma_core.settings.fleet_table import FleetSettings, TaskRunner
from tests.support.backing_up import Vault, fill, small_vault
from tests.support.fleet_faults import damage, fill_disk, lock
from tests.support.fleets import Fleet

RUNNERS: Final = ("processes", "threads", "dask", "prefect-threads", "prefect-dask")
OPERATIONS: Final[tuple[Operation, ...]] = ("backup", "verify", "status")
WORKERS: Final = 2
ROWS: Final = 40
SLOW_ROWS: Final = 4_000
KINDS: Final = ("damaged", "full", "locked", "slow")
Run = Callable[[Fleet, Operation], tuple[FleetRow, ...]]


def main() -> None:
    """Measure and print."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    chosen = sys.argv[2:] or RUNNERS
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "CRITICAL")  # each task would say several lines
    head = ("runner", "operation", "databases", "seconds", "ms each", "ms of it work", "ms runner")
    print(("{:<16}{:<10}" + "{:>14}" * 5).format(*head), flush=True)
    for runner in chosen:
        with tempfile.TemporaryDirectory() as name, running(runner) as run:
            fleet = make_fleet(Path(name), number)
            with in_trouble(choose_ailing(fleet)):
                for operation in OPERATIONS:
                    measure(runner, operation, fleet, run)


def measure(runner: str, operation: Operation, fleet: Fleet, run: Run) -> None:
    """Do an operation with all databases, and print how long it took and what went wrong."""
    began = time.monotonic()
    rows = run(fleet, operation)
    seconds, number = time.monotonic() - began, len(rows)
    work = sum(row.seconds for row in rows) / number
    each = seconds / number
    added = each * WORKERS - work
    line = f"{runner:<16}{operation:<10}{number:>14,}{seconds:>14.1f}"
    print(f"{line}{each * 1e3:>14.0f}{work * 1e3:>14.0f}{added * 1e3:>14.0f}", flush=True)
    wrong = Counter(row.error or row.outcome for row in rows if row.is_alarming)
    said = ", ".join(f"{count} {kind}" for kind, count in sorted(wrong.items()))
    print(f"{'':<16}{len(rows) - wrong.total():,} done; named: {said or 'none'}", flush=True)


def make_fleet(folder: Path, number: int) -> Fleet:
    """Make so many databases, each with an observation that no other has."""
    template = small_vault(folder / "template", ROWS)
    worlds = {}
    for place in range(number):
        name = f"db-{place:04}"
        shutil.copytree(template.folder, folder / name)
        worlds[name] = Vault(folder / name)
        with closing(sqlite3.connect(worlds[name].target)) as connection, connection:
            connection.execute("UPDATE observations SET id = ? WHERE id = 'o0000'", (name,))
    return Fleet(folder, worlds).configure()


def choose_ailing(fleet: Fleet) -> dict[str, list[Vault]]:
    """Return which databases are to be in trouble, by kind: one in fifty, spread over all."""
    names = list(fleet.databases)
    each = max(1, len(names) // (50 * len(KINDS)))
    step = max(1, len(names) // (each * len(KINDS)))
    chosen = [fleet.databases[name] for name in names[::step]]
    return {kind: chosen[place :: len(KINDS)][:each] for place, kind in enumerate(KINDS)}


@contextmanager
def in_trouble(ailing: dict[str, list[Vault]]) -> Iterator[None]:
    """Damage, enlarge, lock and slow databases while the block runs."""
    for world in ailing["damaged"]:
        damage(world)
    for world in ailing["full"]:
        fill_disk(world)
    for world in ailing["slow"]:
        fill(world.target, SLOW_ROWS)
    with ExitStack() as locked:
        for world in ailing["locked"]:
            locked.enter_context(lock(world))
        yield


@contextmanager
def running(runner: str) -> Iterator[Run]:
    """Yield what does an operation by a runner; a scheduler and a server are there meanwhile."""
    kind = cast("TaskRunner", runner.removeprefix("prefect-"))
    with ExitStack() as there:
        if runner.startswith("prefect-"):
            from prefect.testing.utilities import prefect_test_harness  # noqa: PLC0415 - heavy

            there.enter_context(prefect_test_harness(server_startup_timeout=600))
        scheduler = None
        if kind == "dask":
            from distributed import LocalCluster  # noqa: PLC0415 - heavy

            cluster = there.enter_context(
                LocalCluster(  # type: ignore[no-untyped-call]
                    n_workers=WORKERS,
                    threads_per_worker=1,
                    dashboard_address="127.0.0.1:0",
                    silence_logs=50,
                )
            )
            scheduler = str(cluster.scheduler_address)
        settings = FleetSettings(kind, scheduler, WORKERS, WORKERS)
        yield by_prefect(settings) if runner.startswith("prefect-") else by_itself(settings)


def by_itself(settings: FleetSettings) -> Run:
    """Return what does an operation without Prefect."""
    options = FleetOptions(max_age=timedelta(0))

    def run(fleet: Fleet, operation: Operation) -> tuple[FleetRow, ...]:
        request = FleetRequest(operation, options=options, settings=settings)
        known = read_configuration(fleet.file)
        return run_fleet(request, known, datetime.now(UTC), Silent()).rows

    return run


def by_prefect(settings: FleetSettings) -> Run:
    """Return what does an operation as the flow does; its logs go nowhere."""
    from pipelines import fleet as flows  # noqa: PLC0415 - heavy

    kept: list[tuple[FleetRow, ...]] = []
    quick = flows.work_on_database.with_options(retry_delay_seconds=0)

    def run(fleet: Fleet, operation: Operation) -> tuple[FleetRow, ...]:
        said = f'[fleet]\ntask_runner = "{settings.task_runner}"\nworkers = {WORKERS}\n'
        said += f'scheduler = "{settings.scheduler}"\n' if settings.scheduler else ""
        fleet.configure(said)
        keep = mock.patch.object(flows, "record_fleet", lambda report: kept.append(report.rows))
        hurry = mock.patch.object(flows, "work_on_database", quick)
        with keep, hurry:
            flows.fleet(
                operation=operation,
                configuration=fleet.file,
                max_age_days=0.0,
                return_state=True,
            )
        return kept.pop()

    return run


if __name__ == "__main__":
    main()
