"""A place opened to be looked at: a private copy in a scratch folder, its log in buckets.

Nothing is written anywhere else: no vault is made for a copy that somebody looks at.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import polars as pl

from neotoma_core.archive_tables.database import Selection, build_database
from neotoma_core.archive_tables.tables import is_archive, open_archive
from neotoma_core.documents.asked_times import read_asked_instant
from neotoma_core.entity_view.places import Place
from neotoma_core.erased.hashed import ErasedIds
from neotoma_core.erased.naming import ENTITIES
from neotoma_core.errors import BackupDamaged, BackupUnreadable
from neotoma_core.files.keys import KeySource
from neotoma_core.ledger.file import read_erased_around
from neotoma_core.ledger.log import ErasedLog
from neotoma_core.neotoma.encryption.columns import open_rows
from neotoma_core.neotoma.frames import TARGET, as_javascript_reads
from neotoma_core.neotoma.tables import BY_NAME
from neotoma_core.neotoma.times import Instants
from neotoma_core.rebuild.reading import Reading, read_target
from neotoma_core.rebuild.request import SnapshotRun
from neotoma_core.reduce.exact.rule_sets import KNOWN
from neotoma_core.report.findings import Finding
from neotoma_core.report.progress import Progress
from neotoma_core.runs.clock import Clock
from neotoma_core.runs.named_backups import find_named, open_named
from neotoma_core.runs.run import DatabaseRef, TargetRun, require_readable
from neotoma_core.snapshots.choosing import AUTO
from neotoma_core.sqlite.picked_rows import read_picked
from neotoma_core.sqlite.rows import read_rows
from neotoma_core.vault.folder import RunFolders
from neotoma_core.workers.allowances import Allowance
from neotoma_core.workers.pool import Workers
from neotoma_core.workers.reading import Apart, survive_apart
from neotoma_core.workers.setting import Setting

_READ = ("observations", "relationship_observations")


@dataclass(frozen=True, slots=True)
class Looking:
    """How places are looked at.

    ``vault``: what it knows to be erased is not shown. ``scratch``: a private folder. ``key``:
    where the key of encrypted columns is, if anywhere. ``rules``: by which to reduce; see
    ``snapshots.choosing``. ``skip_unreadable``: go on without damaged files of an archive.
    """

    vault: Path
    scratch: Path
    now: datetime
    key: KeySource | None = None
    rules: str = AUTO
    skip_unreadable: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """A place, opened.

    ``end``: where its log ends. ``derived``: it has snapshots of its own. ``erased``: what is not
    shown.
    """

    place: Place
    reading: Reading
    end: Instants
    derived: bool
    erased: ErasedIds
    findings: tuple[Finding, ...] = ()

    def read_observations(self, table: str, number: int) -> pl.DataFrame:
        """Return the rows of one bucket of the log, opened and less what was erased; it stays."""
        spilled = self.reading.spilled[table]
        rows = self.reading.erased.without(table, spilled.buckets.read(number))
        if self.reading.key is None or not spilled.sealed:
            return rows
        return open_rows(spilled.table, rows, self.reading.key, self.place.path)

    def buckets(self, table: str) -> int:
        """Return in how many buckets a table of the log is."""
        return self.reading.spilled[table].buckets.count

    def rows(self, name: str) -> pl.DataFrame:
        """Return a table that holds nothing sealed; no rows where the database has none."""
        stored = self.reading.stored.get(name)
        known = BY_NAME[name]
        if stored is None:
            return read_picked(self.reading.whole, known, (), known.names[0], ())
        return read_rows(self.reading.whole, stored.known, stored.columns).select(known.names)

    def entities(self) -> pl.DataFrame:
        """Return the registry of entities, less what was erased, as JavaScript reads it."""
        rows = self.rows("entities").drop_nulls("id")
        gone = self.erased.among(ENTITIES, rows["id"]) if self.erased else frozenset()
        texts = [name for name in rows.columns if rows.schema[name] == pl.String]
        return as_javascript_reads(rows.filter(~pl.col("id").is_in(sorted(gone))), texts)

    def pick(self, name: str, column: str, values: Sequence[str]) -> pl.DataFrame:
        """Return the rows of a table whose column has one of some values, opened."""
        stored = self.reading.stored.get(name)
        table = BY_NAME[name]
        columns = stored.columns if stored else ()
        rows = read_picked(self.reading.whole, table, tuple(columns), column, values)
        key = self.reading.key
        return rows if key is None else open_rows(table, rows, key, self.place.path)


def open_view(place: Place, looking: Looking, progress: Progress) -> View:
    """Open a place. Raises BackupUnreadable, BackupDamaged, ArchiveError, KeyMissing, DiskFull."""
    number = sum(1 for _ in looking.scratch.iterdir())
    folder = looking.scratch / f"view-{number}"
    folder.mkdir(mode=0o700)
    folders = _folders(folder)
    findings: tuple[Finding, ...] = ()
    end = Instants(None, read_asked_instant("@", place.moment))
    derived = not is_archive(place.path)
    if derived:
        database = _database(place, folder)
    else:
        moment = datetime.fromisoformat(place.moment) if place.moment else None
        selection = Selection(moment=moment, damaged=looking.skip_unreadable)
        built = build_database(
            open_archive(place.path), folder / "archived.db", selection, progress
        )
        database = DatabaseRef(TARGET, "target", built.path, None)
        findings, end = tuple(built.findings()), Instants()
    run = TargetRun(folders, place.path, database, looking.now, looking.key)
    asked = SnapshotRun(run, rules=looking.rules)
    try:
        reading = read_target(asked, _READ, progress, Clock())
    except (BackupDamaged, BackupUnreadable) as error:
        if error.path == place.path:
            raise
        raise type(error)(place.path, error.wrong, error.advice) from error
    erased = read_erased_around(looking.vault, place.path)
    reading = replace(reading, erased=ErasedLog(erased))
    return View(place, reading, end, derived, erased, findings)


def _database(place: Place, folder: Path) -> DatabaseRef:
    """Return the database of a place that is not an archive, read once in a process apart."""
    found = find_named(place.path, None)
    if found.is_database:
        require_readable(found.path)
    with Workers(Setting(), folder) as workers:
        apart = Apart(workers, Allowance())
        named = open_named(found, folder / "unpacked", None, apart)
        survive_apart(apart, named.path, place.path, folder / "read")
    return DatabaseRef(TARGET, "target", named.path, named.environment)


def read_alike(one: View, other: View) -> tuple[View, View]:
    """Return two views that are reduced by the same rules: the newer of both."""
    choices = [view.reading.history.rules.choice for view in (one, other)]
    newer = max(choices, key=lambda choice: KNOWN.index(choice.rules))
    first, second = (_reduce_by(view, newer) for view in (one, other))
    return first, second


def _reduce_by(view: View, choice: object) -> View:
    history = view.reading.history
    rules = replace(history.rules, choice=choice)  # type: ignore[arg-type]  # a RulesChoice
    reading = replace(view.reading, history=replace(history, rules=rules))
    return replace(view, reading=reading)


def _folders(folder: Path) -> RunFolders:
    """Return folders of a run that is in no vault."""
    copies = folder / "copies"
    copies.mkdir(mode=0o700)
    return RunFolders(folder.name, folder, copies, folder / "aside", folder / "said", folder)
