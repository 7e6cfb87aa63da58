"""What one copy of a database holds, as far as copies are compared: counts, days, and ids as codes.

Ids become whole numbers as soon as they are read: many copies of a million rows then fit into
memory. Equal ids have equal codes within one ``Coder``, and different ids different ones.
"""

import threading
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import polars as pl

from neotoma_core.erased.hashed import ErasedIds
from neotoma_core.erased.naming import naming_columns
from neotoma_core.files.keys import KeySource, read_key
from neotoma_core.neotoma.content_ids import NEEDED, doubtful, mergers, unproven
from neotoma_core.neotoma.encryption.columns import find_sealed_rows, open_what_opens
from neotoma_core.neotoma.frames import ROWID, no_broken
from neotoma_core.neotoma.tables import BY_NAME, MERGED
from neotoma_core.neotoma.versions import version_range
from neotoma_core.sqlite.arrow import translate_errors
from neotoma_core.sqlite.inspection import StoredTable, inspect_database, names_of
from neotoma_core.sqlite.opening import connect_read_only
from neotoma_core.sqlite.rows import read_rows
from neotoma_core.sqlite.streaming import with_columns

ROW: Final = "row"
MADE: Final = "made"
RANDOM: Final = ("schema_registry", "raw_fragments", "interpretations", "entity_merges")
"""Tables whose ids are random: one of them in two databases proves that they were one."""
MADE_ONCE: Final = ("observations", "sources")
"""Tables whose rows say when they were made: with that, an id proves the same."""
_MOST: Final = 50_000  # rows of a table that are looked at one by one
COMPARED: Final = tuple(t.name for t in MERGED if t.key == ("id",) and t.name != "schema_registry")


@dataclass(slots=True)
class Coder:
    """Gives ids whole numbers, table by table, the same in every copy it is used for.

    Rows that name what is ``erased`` have none, and count nowhere.
    """

    erased: ErasedIds = field(default_factory=ErasedIds)
    _known: dict[str, pl.Series] = field(default_factory=dict)
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def encode(self, table: str, ids: pl.Series) -> pl.Series:
        """Return the codes of ids, in their order; a NULL has none."""
        return ids.drop_nulls().cast(self._codes_of(table)).to_physical().alias(ROW)

    def names(self, table: str, codes: pl.Series) -> pl.Series:
        """Return the ids that have these codes."""
        return codes.cat.to(self._codes_of(table)).cast(pl.String)

    def _codes_of(self, table: str) -> pl.DataType:
        # The series is kept: codes are forgotten once nothing that has them is left.
        with self._one_at_a_time:
            if table not in self._known:
                kind = pl.Categorical(pl.Categories.random())
                self._known[table] = pl.Series([table], dtype=kind)
            return self._known[table].dtype


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a copy holds.

    ``rows``: per log table, and entities. ``ids``: table → ``row``, the codes of its keys.
    ``made``: table → ``row`` and ``made``: an id with the moment of its creation, hashed.
    ``random``: table → ``row``, of tables with random ids. ``days``: day → observations;
    ``types``: entity type → entities. ``version``: see ``version_range``. ``made_span``: the first
    and the last ``created_at`` of its observations. ``unproven``: of a salvaged copy, the rows that
    nothing proves whole, which are in no other number; of a sound one, those whose id is not the
    hash of their content, where ids are hashes and the table is not large.
    """

    rows: Mapping[str, int]
    ids: Mapping[str, pl.DataFrame]
    made: Mapping[str, pl.DataFrame]
    random: Mapping[str, pl.DataFrame]
    days: Mapping[str, int]
    types: Mapping[str, int]
    first: str | None
    last: str | None
    version: tuple[str, str | None] = ("", None)
    unproven: int = 0
    made_span: tuple[str | None, str | None] = (None, None)

    @property
    def observations(self) -> int:
        """How many observations there are."""
        return self.rows.get("observations", 0)


def read_holdings(
    whole: Path,
    original: Path,
    coder: Coder,
    *,
    suspect: bool = False,
    key: KeySource | None = None,
) -> Holdings:
    """Read what a whole database holds; ``original`` is only named in messages.

    ``suspect``: it was salvaged, so rows that their id does not prove are left out; what is sealed
    in them is opened with the ``key`` first.
    Raises NotNeotoma, BackupUnreadable, BackupDamaged.
    """
    with closing(connect_read_only(whole)) as connection:
        tables = {t.name: t for t in inspect_database(connection, original).tables}
    rows = {
        name: tables[name].rows
        for name in (*COMPARED, "schema_registry")
        if name in tables and not tables[name].barred
    }
    merged_into = _merges(whole, tables, original) if suspect else {}
    kept, left_out = {}, 0
    for name in COMPARED:
        if not rows.get(name):
            continue
        named = naming_columns(name, tables[name].columns) if coder.erased else ()
        wanted = (*columns_to_compare(name), *(NEEDED.get(name, ()) if suspect else ()), *named)
        read = read_columns(whole, tables[name], wanted, original)
        if coder.erased:
            read = read.filter(~coder.erased.rows_in(name, read))
            rows[name] = read.height
        if suspect:
            opened = _open_facts(name, read, key)
            broken = unproven(name, opened, merged_into) if read.height else no_broken()
            read = read.join(broken, on=ROWID, how="anti")
            left_out += broken.height
            rows[name] = read.height
        kept[name] = read
    registry = None
    if rows.get("schema_registry"):
        registry = read_columns(whole, tables["schema_registry"], ("id",), original)
    return replace(
        count_holdings(coder, rows, kept, registry),
        version=version_range(
            {name: table.columns for name, table in tables.items()}, names_of(tables.values())
        ),
        unproven=left_out if suspect else _doubtful(whole, tables, original, key),
    )


def count_holdings(
    coder: Coder,
    rows: Mapping[str, int],
    kept: Mapping[str, pl.DataFrame],
    registry: pl.DataFrame | None,
) -> Holdings:
    """Return what rows amount to, counted in ``rows``: the ``columns_to_compare`` of tables.

    ``registry``: the ids of schemas, where there are any.
    """
    ids = {name: coder.encode(name, read["id"]).unique().to_frame() for name, read in kept.items()}
    known = pl.DataFrame(schema={ROW: pl.UInt32})
    if registry is not None:
        known = coder.encode("schema_registry", registry["id"]).unique().to_frame()
    return Holdings(
        rows,
        ids,
        {name: _find_made(coder, name, kept[name]) for name in MADE_ONCE if name in kept},
        {"schema_registry": known} | {name: ids[name] for name in RANDOM if name in ids},
        *_describe(kept),
        made_span=_span_made(kept),
    )


def columns_to_compare(table: str) -> tuple[str, ...]:
    """Return the columns of a table by which copies are compared and described."""
    return "id", *_further(table)


def _further(table: str) -> tuple[str, ...]:
    if table == "observations":
        return "created_at", "observed_at"
    return {"entities": ("entity_type",), "sources": ("created_at",)}.get(table, ())


def read_columns(
    whole: Path, stored: StoredTable, wanted: tuple[str, ...], original: Path
) -> pl.DataFrame:
    """Return ``_rowid`` and those columns of a table of a whole copy that Neotoma knows.

    A cell its column cannot hold is NULL, as is a column the database lacks. ``original`` is only
    named in messages. Raises BackupUnreadable.
    """
    names = tuple(n for n in dict.fromkeys(wanted) if n in BY_NAME[stored.name].names)
    there = tuple(name for name in names if name in stored.columns)
    with translate_errors(original, stored.name):
        return read_rows(whole, with_columns(stored.known, names), there)


def _open_facts(table: str, read: pl.DataFrame, key: KeySource | None) -> pl.DataFrame:
    facts = with_columns(BY_NAME[table], [n for n in BY_NAME[table].names if n in read.columns])
    if key is None or find_sealed_rows(facts, read).is_empty():
        return read
    return open_what_opens(facts, read, read_key(key))


def _merges(whole: Path, tables: Mapping[str, StoredTable], original: Path) -> dict[str, list[str]]:
    if not tables.get("entity_merges") or not tables["entity_merges"].rows:
        return {}
    names = ("from_entity_id", "to_entity_id")
    return mergers(read_columns(whole, tables["entity_merges"], names, original))


def _doubtful(
    whole: Path, tables: Mapping[str, StoredTable], original: Path, key: KeySource | None
) -> int:
    """Return how many rows of a sound copy have an id that is not the hash of their content."""
    split = tables.get("entity_splits")
    if split and split.rows:  # which leave no trace in a row
        return 0
    merged_into = _merges(whole, tables, original)
    found = 0
    for name, needed in NEEDED.items():
        if name in tables and 0 < tables[name].rows <= _MOST and not tables[name].barred:
            read = read_columns(whole, tables[name], needed, original)
            found += doubtful(name, _open_facts(name, read, key), merged_into).height
    return found


def _find_made(coder: Coder, table: str, rows: pl.DataFrame) -> pl.DataFrame:
    keyed = rows.drop_nulls(["id", "created_at"])
    codes = coder.encode(table, keyed["id"])
    return pl.DataFrame({ROW: codes, MADE: keyed["created_at"].hash(seed=0)}).unique()


def _span_made(kept: Mapping[str, pl.DataFrame]) -> tuple[str | None, str | None]:
    if "observations" not in kept:
        return None, None
    times = kept["observations"]["created_at"].drop_nulls()
    return (str(times.min()), str(times.max())) if len(times) else (None, None)


def _describe(
    kept: Mapping[str, pl.DataFrame],
) -> tuple[dict[str, int], dict[str, int], str | None, str | None]:
    """Return days, types, and the first and last observed_at: as texts, in which times sort."""
    days: dict[str, int] = {}
    types: dict[str, int] = {}
    first = last = None
    if "observations" in kept:
        times = kept["observations"]["observed_at"].drop_nulls()
        counted = times.str.slice(0, 10).value_counts().sort("observed_at")
        days = dict(counted.iter_rows())
        if len(times):
            first, last = str(times.min()), str(times.max())
    if "entities" in kept:
        named = kept["entities"]["entity_type"].drop_nulls().value_counts()
        types = dict(named.sort("count", "entity_type", descending=[True, False]).iter_rows())
    return days, types, first, last
