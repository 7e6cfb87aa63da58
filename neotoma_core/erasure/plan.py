"""Planning an erasure in one whole copy: the rows that go, the snapshots that change with them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from neotoma_core.comparison.selection import read_merged_away
from neotoma_core.erased.files import CONTENTS, content_of
from neotoma_core.erased.naming import Ids, NamedTables
from neotoma_core.erased.narrowing import reach_in
from neotoma_core.erased.reach import Reach
from neotoma_core.erasure.held.copy import Held
from neotoma_core.errors import KeyMissing
from neotoma_core.files.keys import read_key
from neotoma_core.lineage.merged_away import MergedAway
from neotoma_core.merge.plan import registry_of
from neotoma_core.neotoma.encryption.columns import find_sealed_rows, open_rows
from neotoma_core.neotoma.frames import ROWID
from neotoma_core.neotoma.schemas import Registry
from neotoma_core.neotoma.tables import BY_NAME, TABLES, Table
from neotoma_core.snapshots.choosing import AUTO, choose_rules
from neotoma_core.snapshots.deciding import (
    ENTITY_SNAPSHOTS,
    RELATIONSHIP_SNAPSHOTS,
    Decided,
    Stored,
    decide_entities,
    decide_relationships,
)
from neotoma_core.snapshots.reading import Rules
from neotoma_core.sqlite.inspection import StoredTable, names_of
from neotoma_core.sqlite.picked_rows import (
    holds_sealed_cells,
    read_picked,
)
from neotoma_core.sqlite.rows import read_rows
from neotoma_core.sqlite.streaming import with_columns

if TYPE_CHECKING:
    from neotoma_core.neotoma.encryption.key import DataKey

_OPERATIONAL: Final = tuple(table for table in TABLES if table.kind == "operational")
_QUOTED: Final = r'"[^"\\]+"'  # a string of a JSON text
_SHA256: Final = re.compile("[0-9a-f]{64}")
_NOTHING: Final = pl.lit([], dtype=pl.List(pl.String))
_NO_ROWS: Final = pl.Series(ROWID, [], dtype=pl.Int64)


@dataclass(frozen=True, slots=True)
class ErasurePlan:
    """What an erasure does to one database.

    ``data_key`` opens what is sealed in what was read, where anything is; ``sealed``: what is
    derived must be sealed with it. ``emptied``: entities that stay without an observation.
    """

    held: Held
    reach: Reach
    entities: Decided
    relationships: Decided
    rules: Rules
    data_key: "DataKey | None"
    sealed: bool
    emptied: int

    @property
    def whole(self) -> Path:
        """The whole copy that was read."""
        return self.held.whole

    @property
    def stored(self) -> Mapping[str, StoredTable]:
        """Every table of it, by name."""
        return self.held.stored

    @property
    def tables(self) -> NamedTables:
        """The tables that can be looked through."""
        return self.held.tables

    @property
    def ids(self) -> Ids:
        """The ids that are erased, by kind."""
        return self.reach.ids

    @property
    def gone(self) -> Mapping[str, pl.Series]:
        """The numbers of the rows that go, by table."""
        return self.reach.rows

    @property
    def derived(self) -> tuple[Decided, Decided]:
        """Both derived tables."""
        return self.entities, self.relationships

    @property
    def writes_derived(self) -> int:
        """Snapshots that are rewritten or removed because of what they lose."""
        changes = (decided.change for decided in self.derived)
        return sum(change.written.height + change.removed.height for change in changes)

    @property
    def writes(self) -> int:
        """Rows deleted or written."""
        return self.reach.total + self.writes_derived


def plan_erasure(held: Held, seeds: Ids, now: str, rules: str = AUTO) -> ErasurePlan:
    """Plan what goes with the ``seeds``; ``now``: ISO time of the computation.

    ``rules``: by which to reduce; see ``snapshots.choosing``.

    Raises KeyMissing, KeyWrong, UsageError.
    """
    reached = _with_contents(held, reach_in(held.tables, seeds))
    touched = reached.entities.height or reached.relationships.height
    sealed = bool(touched) and any(
        holds_sealed_cells(held.whole, table, held.columns(table))
        for table in TABLES
        if table.merged or table.kind == "derived"
    )
    opening = _Opening(held)
    reached = _with_queues(held, reached, opening)
    by = _rules(held, reached, rules)
    entities, emptied = _entities(held, reached, by, opening)
    relationships = _relationships(held, reached, now, opening)
    writes = entities.change.written.height + relationships.change.written.height
    if sealed and writes:
        opening.require("entity_snapshots", 1)
    return ErasurePlan(held, reached, entities, relationships, by, opening.key, sealed, emptied)


class _Opening:
    """Opens what is sealed; reads the key when the first sealed row is met."""

    def __init__(self, held: Held) -> None:
        self._held = held
        self.key: DataKey | None = None

    def open(self, table: Table, rows: pl.DataFrame) -> pl.DataFrame:
        sealed = find_sealed_rows(table, rows).height
        if not sealed:
            return rows
        return open_rows(table, rows, self.require(table.name, sealed), self._held.original)

    def require(self, table: str, rows: int) -> "DataKey":
        if self.key is None:
            if self._held.key is None:
                raise KeyMissing(self._held.original, rows, table)
            self.key = read_key(self._held.key)
        return self.key


def _with_queues(held: Held, reached: Reach, opening: _Opening) -> Reach:
    """Let the rows of queues go, too, that name an erased id somewhere in their JSON."""
    erased = pl.Series("id", sorted({i for ids in reached.ids.values() for i in ids}), pl.String)
    rows = dict(reached.rows)
    for table in _OPERATIONAL:
        if table.name not in held.stored or not held.stored[table.name].rows:
            continue
        texts = [column.name for column in table.columns if column.type == "TEXT"]
        found = [rows.get(table.name, _NO_ROWS)]
        for part in held.read(table, texts):
            quoted = [pl.col(name).str.extract_all(_QUOTED) for name in texts]
            ids = pl.concat_list(pl.coalesce(each, _NOTHING) for each in quoted)
            named = opening.open(table, part).select(ROWID, id=ids).explode("id")
            bare = pl.col("id").str.strip_chars('"')
            found.append(named.filter(bare.is_in(erased.implode()))[ROWID])
        both = pl.concat(found).unique()
        if len(both):
            rows[table.name] = both
    return replace(reached, rows=rows)


def _with_contents(held: Held, reached: Reach) -> Reach:
    """Add what is in the raw files that go, where nothing that stays has the same in it."""
    table = BY_NAME["sources"]
    columns = tuple(name for name in ("storage_url", "content_hash") if name in held.columns(table))
    if table.name not in reached.rows or not columns:
        return reached
    facts, numbers = with_columns(table, columns), reached.rows[table.name]
    gone = _contents(read_rows(held.whole, facts, columns, numbers), columns)
    for part in held.read(facts):
        gone -= _contents(part.filter(~pl.col(ROWID).is_in(numbers.implode())), columns)
    return replace(reached, ids={**reached.ids, CONTENTS: gone} if gone else reached.ids)


def _contents(rows: pl.DataFrame, columns: Sequence[str]) -> frozenset[str]:
    named = {content_of(cell) for name in columns for cell in rows[name].drop_nulls()}
    return frozenset(content for content in named if _SHA256.fullmatch(content))


def _rules(held: Held, reached: Reach, asked: str) -> Rules:
    table = BY_NAME["schema_registry"]
    registry = Registry()
    if table.name in held.stored:
        rows = read_rows(held.whole, table, held.columns(table))
        registry = registry_of(_staying(table, rows, reached))
    choice = choose_rules(asked, names_of(held.stored.values()), registry)
    merged_away = MergedAway()
    if reached.entities.height and _knows_merges(held):
        only = frozenset(reached.entities["entity_id"])
        merged_away = read_merged_away(held.whole, held.stored, only)
    return Rules(registry, choice, merged_away)


def _entities(held: Held, reached: Reach, rules: Rules, opening: _Opening) -> tuple[Decided, int]:
    """Decide; what cannot be reduced keeps no snapshot: it may still mention what goes."""
    ids = reached.entities["entity_id"]
    observed = _read(held, BY_NAME["observations"], "entity_id", ids, reached, opening)
    existing = _read(held, ENTITY_SNAPSHOTS, "entity_id", ids, reached, opening)
    stored = Stored(ENTITY_SNAPSHOTS, existing, frozenset(held.columns(ENTITY_SNAPSHOTS)))
    emptied = reached.entities.join(observed, on="entity_id", how="anti").height
    return decide_entities(observed, stored, rules, "drop"), emptied


def _relationships(held: Held, reached: Reach, now: str, opening: _Opening) -> Decided:
    keys = reached.relationships["relationship_key"]
    log, column = BY_NAME["relationship_observations"], "relationship_key"
    observed = _read(held, log, column, keys, reached, opening)
    existing = _read(held, RELATIONSHIP_SNAPSHOTS, column, keys, reached, opening)
    columns = frozenset(held.columns(RELATIONSHIP_SNAPSHOTS))
    stored = Stored(RELATIONSHIP_SNAPSHOTS, existing, columns)
    return decide_relationships(observed, stored, "drop", now=now)


def _read(  # noqa: PLR0913, PLR0917 - which rows of what, and how to open them
    held: Held, table: Table, column: str, ids: pl.Series, reached: Reach, opening: _Opening
) -> pl.DataFrame:
    picked = read_picked(held.whole, table, held.columns(table), column, ids.to_list())
    return opening.open(table, _staying(table, picked, reached))


def _staying(table: Table, rows: pl.DataFrame, reached: Reach) -> pl.DataFrame:
    gone = reached.rows.get(table.name)
    return rows if gone is None else rows.filter(~pl.col(ROWID).is_in(gone.implode()))


def _knows_merges(held: Held) -> bool:
    names: Sequence[str] = held.columns(BY_NAME["entities"])
    return "merged_to_entity_id" in names and "merged_at" in names
