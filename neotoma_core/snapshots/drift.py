"""Where stored snapshots are not what the log says.

JSON is compared by value: text that differs only in spelling is not drift.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from neotoma_core.neotoma.json import JsonValue, NotJson, parse_json
from neotoma_core.snapshots.change import DerivedChange

DRIFT: Final[dict[str, pl.DataType]] = {
    "kind": pl.String(),
    "key": pl.String(),
    "type": pl.String(),
    "reason": pl.String(),
    "columns": pl.List(pl.String()),
    "fields": pl.List(pl.String()),
}
"""One row per snapshot that drifted. ``columns`` differ; ``fields`` of the JSON in them do."""

_COUNT: Final = "observation_count"


@dataclass(frozen=True, slots=True)
class Compared:
    """What is compared of a derived table.

    ``key``: its key. ``type``: the column with the type of the row. ``columns``: those compared,
    without the key. ``documents``: the ones that hold JSON objects.
    """

    key: str
    type: str
    columns: Sequence[str]
    documents: Sequence[str]


def keep_texts(recomputed: pl.DataFrame, existing: pl.DataFrame, of: Compared) -> pl.DataFrame:
    """Return recomputed rows with JSON as it is stored where that has the same value.

    Rows whose other columns differ stay as they are, since they are written anyway.
    """
    was = {name: pl.col(f"_was_{name}") for name in of.columns}
    beside = _beside(recomputed, existing, of)
    others = [pl.col(n).eq_missing(was[n]) for n in of.columns if n not in of.documents]
    differ = pl.any_horizontal(pl.col(n).ne_missing(was[n]) for n in of.documents)
    only_text = pl.col("_there").is_not_null() & pl.all_horizontal(others) & differ
    suspects = beside.filter(only_text)
    if suspects.is_empty():
        return recomputed
    texts = suspects.select(*of.documents, *(f"_was_{n}" for n in of.documents))
    half = len(of.documents)
    same = [all(map(same_value, row[:half], row[half:])) for row in texts.iter_rows()]
    settled = suspects.filter(pl.Series(same)).select(of.key, *(f"_was_{n}" for n in of.documents))
    joined = recomputed.join(settled, on=of.key, how="left", maintain_order="left")
    kept = (pl.coalesce(f"_was_{n}", n).alias(n) for n in of.documents)
    return joined.with_columns(kept).select(recomputed.columns)


def find_drift(
    change: DerivedChange,
    existing: pl.DataFrame,
    reasons: pl.DataFrame,
    of: Compared,
    detailed: int,
) -> pl.DataFrame:
    """Return the ``DRIFT`` that a change of a derived table would put right.

    Args:
        change: of rows that went through ``keep_texts``.
        existing: the rows as stored.
        reasons: (key, reason) of the rows that should not be there.
        of: what is compared.
        detailed: how many stale rows at most are taken apart into fields.
    """
    return pl.concat(
        [
            _missing(change, of),
            _stale(change.written.tail(change.updated), existing, of, detailed),
            _find_unexpected(change, existing, reasons, of),
        ]
    )


def _missing(change: DerivedChange, of: Compared) -> pl.DataFrame:
    rows = change.written.head(change.inserted)
    return _drift(rows.select(kind=pl.lit("missing"), key=of.key, type=of.type))


def _find_unexpected(
    change: DerivedChange, existing: pl.DataFrame, reasons: pl.DataFrame, of: Compared
) -> pl.DataFrame:
    rows = existing.join(change.removed, on=of.key, how="semi")
    named = rows.join(reasons, on=of.key, how="left")
    return _drift(named.select("reason", kind=pl.lit("unexpected"), key=of.key, type=of.type))


def _stale(
    updated: pl.DataFrame, existing: pl.DataFrame, of: Compared, detailed: int
) -> pl.DataFrame:
    beside = _beside(updated, existing, of)
    names = pl.concat_list(
        pl.when(pl.col(n).ne_missing(pl.col(f"_was_{n}"))).then(pl.lit(n)) for n in of.columns
    ).list.drop_nulls()
    only_count = pl.col("columns") == pl.lit([_COUNT], dtype=pl.List(pl.String))
    shown = beside.head(detailed)
    fields = [_fields_that_differ(row, of) for row in shown.iter_rows(named=True)]
    unknown = [None] * (beside.height - shown.height)
    rows = beside.with_columns(
        pl.Series("fields", [*fields, *unknown], dtype=pl.List(pl.String)), columns=names
    ).select(
        "columns",
        "fields",
        kind=pl.when(only_count).then(pl.lit("wrong-count")).otherwise(pl.lit("stale")),
        key=of.key,
        type=of.type,
    )
    return _drift(rows)


def _beside(recomputed: pl.DataFrame, existing: pl.DataFrame, of: Compared) -> pl.DataFrame:
    """Return recomputed rows with the stored cells next to them, as ``_was_<column>``."""
    was = (pl.col(name).alias(f"_was_{name}") for name in of.columns)
    known = existing.select(of.key, *was, _there=True)
    return recomputed.join(known, on=of.key, how="left", maintain_order="left")


def _fields_that_differ(row: dict[str, object], of: Compared) -> list[str]:
    """Return the names of the fields that a stored row says, or explains, otherwise."""
    names: dict[str, None] = {}
    for document in of.documents:
        now, was = _object(row[document]), _object(row[f"_was_{document}"])
        for name in {**now, **was}:
            absent = name not in now or name not in was
            if absent or not same_json(now[name], was[name]):
                names[name] = None
    return list(names)


def _object(text: object) -> dict[str, JsonValue]:
    """Return the object a text holds; an empty one where it holds anything else."""
    try:
        value = parse_json(text) if isinstance(text, str) else None
    except NotJson:
        return {}
    return value if isinstance(value, dict) else {}


def same_value(left: object, right: object) -> bool:
    """Return whether two stored texts are the same, or JSON of the same value."""
    if left == right:
        return True
    if not isinstance(left, str) or not isinstance(right, str):
        return False
    try:
        return same_json(parse_json(left), parse_json(right))
    except NotJson:
        return False


def same_json(left: JsonValue, right: JsonValue) -> bool:
    """Return whether two JSON values are equal: 1 is 1.0, true is not 1, keys have no order."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same_json(left[k], right[k]) for k in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same_json, left, right))
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return left == right


def _drift(rows: pl.DataFrame) -> pl.DataFrame:
    """Return drift with every column, those that say nothing being NULL."""
    absent = [pl.lit(None, dtype=t).alias(n) for n, t in DRIFT.items() if n not in rows.columns]
    return rows.with_columns(absent).select(*DRIFT).cast(pl.Schema(DRIFT))
