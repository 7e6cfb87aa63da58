"""What an unmerge reads of the database: the tables a merge of entities rewrites."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from neotoma_core.comparison.selection import read_merged_away
from neotoma_core.errors import KeyMissing
from neotoma_core.files.keys import read_key
from neotoma_core.neotoma.encryption.columns import find_sealed_rows, open_rows
from neotoma_core.neotoma.frames import empty_rows
from neotoma_core.neotoma.tables import BY_NAME, Table
from neotoma_core.runs.evidence import DatabaseEvidence
from neotoma_core.runs.run import TargetRun
from neotoma_core.runs.schemas import registry_in
from neotoma_core.snapshots.choosing import choose_rules
from neotoma_core.snapshots.deciding import Stored
from neotoma_core.snapshots.reading import Rules
from neotoma_core.sqlite.inspection import (
    StoredTable,
    inspect_database,
    names_of,
    require_writable,
)
from neotoma_core.sqlite.opening import check_integrity, connect_read_only, make_whole
from neotoma_core.sqlite.rows import read_rows

if TYPE_CHECKING:
    from neotoma_core.neotoma.encryption.key import DataKey


@dataclass(frozen=True, slots=True)
class UnmergeSource:
    """The whole copy of a database whose merge is undone. ``target`` is what messages name."""

    run: TargetRun
    whole: Path
    stored: dict[str, StoredTable]
    rules: Rules

    @property
    def target(self) -> Path:
        """The database itself."""
        return self.run.target.path

    @property
    def work(self) -> Path:
        """The scratch of the run."""
        return self.run.folders.work

    def rows(self, name: str) -> pl.DataFrame:
        """Return the rows of a table, sealed values as they are stored."""
        if name not in self.stored:
            return empty_rows(BY_NAME[name])
        stored = self.stored[name]
        return read_rows(self.whole, stored.known, stored.columns)

    def read_snapshots(self, table: Table, rows: pl.DataFrame) -> Stored:
        """Return some snapshots as what is stored of one of the two derived tables."""
        columns = self.stored[table.name].columns if table.name in self.stored else ()
        return Stored(table, rows, frozenset(columns))

    def open(self, name: str, rows: pl.DataFrame) -> "tuple[pl.DataFrame, DataKey | None]":
        """Return rows of a table opened, and the key where it was needed; raises KeyMissing."""
        table = BY_NAME[name]
        sealed = find_sealed_rows(table, rows).height
        if not sealed:
            return rows, None
        source = self.run.key
        if source is None:
            raise KeyMissing(self.target, sealed, name)
        key = read_key(source)
        return open_rows(table, rows, key, self.target), key


def read_source(run: TargetRun, evidence: DatabaseEvidence, rules: str) -> UnmergeSource:
    """Read a secured target. ``rules``: by which to reduce; see ``snapshots.choosing``.

    Raises BackupUnreadable, BackupDamaged, NotNeotoma, TargetError.
    """
    path = run.target.path
    whole = make_whole(evidence.copy, path, run.folders.work / "target")
    with closing(connect_read_only(whole)) as connection:
        check_integrity(connection, path)
        inspection = inspect_database(connection, path)
    require_writable(inspection, path)
    stored = {table.name: table for table in inspection.tables}
    registry = registry_in(whole, stored)
    choice = choose_rules(rules, names_of(stored.values()), registry)
    merged_away = read_merged_away(whole, stored)
    return UnmergeSource(run, whole, stored, Rules(registry, choice, merged_away))
