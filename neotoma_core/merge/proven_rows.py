"""Two versions of a row: the id, a hash of the content, proves one, and that one is kept.

SQLite sees no rot within a cell. An id that is the hash of one version cannot be that of another.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Final

import polars as pl

from neotoma_core.lineage.offers import Offered
from neotoma_core.merge.classify import CLASS, KEPT
from neotoma_core.merge.decisions import BY, KEEP, SOURCE_SIDE, TARGET_SIDE
from neotoma_core.neotoma.content_ids import NEEDED, are_proven, mergers
from neotoma_core.neotoma.frames import ORIGIN, ROWID
from neotoma_core.neotoma.tables import Table

BY_ID: Final = "id"
ALTERED: Final = pl.Schema({ORIGIN: pl.Int32, "table": pl.String, "key": pl.String})
_FOLLOWED: Final = "entity_id"  # whatever it was before merges: the hash is looked for with each


def earlier_names(databases: Iterable[Mapping[str, Offered]]) -> dict[str, list[str]]:
    """Return entity → entities whose observations it got, by merges and splits any database has.

    A merge is known by its own row, or only by the row of the entity that it merged.
    """
    found: dict[str, list[str]] = {}
    for database in databases:
        merges = pl.concat(
            [
                database["entity_merges"].rows.select("from_entity_id", "to_entity_id"),
                database["entities"].rows.select(
                    from_entity_id="id", to_entity_id="merged_to_entity_id"
                ),
            ]
        ).unique(maintain_order=True)
        splits = database["entity_splits"].rows.select(
            pl.col("source_entity_id").alias("from_entity_id"),
            pl.col("new_entity_id").alias("to_entity_id"),
        )
        for into, gone in chain(mergers(merges).items(), mergers(splits).items()):
            found.setdefault(into, []).extend(gone)
    return found


def prefer_proven(
    table: Table,
    found: pl.DataFrame,
    number: int,
    offers: Mapping[int, Offered],
    earlier: Mapping[str, Sequence[str]],
) -> pl.DataFrame:
    """Return ``found`` with ``_keep`` and ``_by`` of the conflicts that an id resolves.

    ``found``: judged rows of backup ``number``, see ``classify``. ``earlier``: see
    ``earlier_names``. Rows that are not as stored, since what they refer to has another name,
    prove nothing.
    """
    if table.name not in NEEDED:
        return found
    two = found.filter(pl.col(CLASS).is_in(["conflict", "three_way"]))
    two = two.filter(~_find_rewritten(number, offers))
    if two.is_empty():
        return found
    names = [name for name in NEEDED[table.name] if name in two.columns]
    kept = [
        pl.col(KEPT + name).alias(name) if KEPT + name in two.columns else pl.col(name)
        for name in names
    ]
    source = are_proven(table.name, two.select(names), earlier)
    target = are_proven(table.name, two.select(kept), earlier)
    sides = two.select(
        ROWID,
        pl.when(source & ~target)
        .then(pl.lit(SOURCE_SIDE))
        .when(target & ~source)
        .then(pl.lit(TARGET_SIDE))
        .alias("_side"),
    ).drop_nulls("_side")
    beside = found.join(sides, on=ROWID, how="left", maintain_order="left")
    proven = pl.col("_side").is_not_null()
    return beside.with_columns(
        pl.when(proven).then(pl.lit("conflict")).otherwise(CLASS).alias(CLASS),
        pl.coalesce("_side", KEEP).alias(KEEP),
        pl.when(proven).then(pl.lit(BY_ID)).otherwise(BY).alias(BY),
    ).drop("_side")


def find_altered(table: Table, found: pl.DataFrame, number: int, keys: pl.Series) -> pl.DataFrame:
    """Return the versions that an id proved to be another's; ``keys``: of the rows ``found``."""
    loser = pl.when(pl.col(KEEP) == SOURCE_SIDE).then(pl.col(KEPT + ORIGIN)).otherwise(number)
    by_id = found.with_columns(keys.alias("key")).filter(pl.col(BY) == BY_ID)
    return by_id.select(
        loser.cast(pl.Int32).alias(ORIGIN), pl.lit(table.name).alias("table"), "key"
    )


def not_as_hashed(rewritten: pl.DataFrame) -> pl.DataFrame:
    """Return the rewritten cells that leave the id of their row without proof either way.

    ``rewritten``: see ``TableMerge`` or ``Offered``.
    """
    return rewritten.filter(pl.col("column") != _FOLLOWED)


def _find_rewritten(number: int, offers: Mapping[int, Offered]) -> pl.Expr:
    """Return which rows, or the versions that are kept, are not as stored."""
    changed = pl.lit(value=False)
    for origin, offered in offers.items():
        others = not_as_hashed(offered.rewritten)[ROWID].implode()
        if origin == number:
            changed = changed | pl.col(ROWID).is_in(others)
        changed = changed | ((pl.col(KEPT + ORIGIN) == origin) & pl.col(KEPT + ROWID).is_in(others))
    return changed
