"""Archives on a store in tests: where one is, runs that append to it, and what is planted there."""

import json
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from neotoma_core.archive.on_store import archive_to_store, plan_to_store
from neotoma_core.archive.report import ArchiveReport
from neotoma_core.archive_mirror.bringing import bring_archive, strange_objects
from neotoma_core.archive_mirror.naming import rename_report
from neotoma_core.archive_tables.verification_report import ArchiveVerification
from neotoma_core.archive_tables.verify import verify_archive
from neotoma_core.files.scratch import scratch_in
from neotoma_core.report.progress import Silent
from neotoma_core.runs.begin import Whereabouts
from neotoma_core.stores.store import Store
from tests.conftest import NOW
from tests.support.databases import entity, insert_all, make_database, observation, source
from tests.support.forks.asking import python
from tests.support.storing import Place

TABLE = "observations"
KILLED = 77

_ARCHIVE = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from neotoma_core.archive.on_store import archive_to_store
from neotoma_core.files.atomic import observe
from neotoma_core.report.progress import Silent
from neotoma_core.runs.begin import Whereabouts
from neotoma_core.stores.opening import hold_store
from neotoma_core.stores.store import StoreOptions

url, endpoint, database, vault, step, times = sys.argv[1:]
left = int(times)

def crash(reached):
    global left
    if reached == step:
        left -= 1
        if left == 0:
            os._exit(77)

with observe(crash), hold_store(url, StoreOptions(endpoint or None)) as store:
    asked = Whereabouts(Path(database), Path(vault))
    report = archive_to_store(asked, store, datetime(2026, 3, 12, tzinfo=UTC), Silent())
    print(report.outcome, report.appended)
"""


@dataclass(frozen=True)
class Archived:
    """A place of an archive, and a folder with databases and vaults of several machines."""

    place: Place
    folder: Path

    @property
    def database(self) -> Path:
        """The database that is archived; made with the rows of ``database_of`` at first."""
        return self.folder / "neotoma.db"

    def make(self, observations: int = 2) -> Path:
        """Make the database."""
        rows = {
            "entities": [entity("e1")],
            "observations": [observation(f"o{number}") for number in range(observations)],
            "sources": [source("s1")],
        }
        return make_database(self.database, rows)

    def add(self, *names: str) -> None:
        """Add observations to the database."""
        insert_all(self.database, {TABLE: [observation(name) for name in names]})

    def change(self, sql: str) -> None:
        """Change the database."""
        with closing(sqlite3.connect(self.database)) as connection:
            connection.execute(sql)
            connection.commit()

    def archive(
        self, machine: str = "one", now: datetime = NOW, *, dry_run: bool = False
    ) -> ArchiveReport:
        """Append from a machine, which has a vault of its own."""
        asked = Whereabouts(self.database, self.folder / machine)
        with self.place.open() as store:
            run = plan_to_store if dry_run else archive_to_store
            return run(asked, store, now, Silent())

    def begin(self, machine: str, step: str = "", times: int = 1) -> "subprocess.Popen[str]":
        """Begin to append, as a process of its own that is killed at a step, if one is named."""
        words = (
            *(self.place.url, self.place.options.endpoint or "", str(self.database)),
            *(str(self.folder / machine), step, str(times)),
        )
        return subprocess.Popen(
            [python(), "-c", _ARCHIVE, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def kill_at(self, step: str, times: int = 1, machine: str = "one") -> int:
        """Append, and be killed at a step; return the exit code."""
        with self.begin(machine, step, times) as process:
            process.communicate()
            return process.returncode

    @contextmanager
    def bring(self) -> Iterator[Path]:
        """Bring the archive here, until the block ends."""
        with (
            scratch_in(self.folder) as scratch,
            self.place.open() as store,
            bring_archive(store, scratch, Silent()) as synced,
        ):
            yield synced.mirror.folder

    def verify(self) -> ArchiveVerification:
        """Verify the archive, as the command does."""
        with (
            scratch_in(self.folder) as scratch,
            self.place.open() as store,
            bring_archive(store, scratch, Silent()) as synced,
        ):
            folder = synced.mirror.folder
            report = verify_archive(folder, Silent(), strange_objects(synced))
            return rename_report(report, folder, store.url)

    def names(self, prefix: str = "") -> list[str]:
        """Return the names of the objects there are."""
        with self.place.open() as store:
            return [one.name for one in store.list(prefix)]

    def plant(self, change: Callable[[Store], object]) -> None:
        """Change what is on the store, as nothing of midden's does."""
        with self.place.open() as store:
            change(store)

    def replace(self, name: str, content: bytes) -> None:
        """Put another object in the place of one."""
        self.remove(name)
        self.plant(lambda store: store.create(name, content))

    def remove(self, *names: str) -> None:
        """Remove objects."""
        with self.place.open() as store:
            for name in names:
                store.delete(name)

    def entry(self, version: int, table: str = TABLE) -> list[dict[str, object]]:
        """Return the actions of an entry of a log."""
        with self.place.open() as store:
            content = store.read(f"{table}/_delta_log/{version:020}.json")
        return [json.loads(line) for line in content.splitlines()]
