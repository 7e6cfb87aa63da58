"""The entities of one type as a table: one row each, one typed column per field."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from neotoma_core.export.names import column_title
from neotoma_core.export.redaction import Redactions
from neotoma_core.export.stated import members, redact
from neotoma_core.export.typed import UNTYPED, Kind, kind_of, rest_as_texts, type_values

MOMENT: Final = pl.Datetime("ms", "UTC")
OWN: Final[Mapping[str, pl.DataType]] = {
    "entity_id": pl.String(),
    "canonical_name": pl.String(),
    "user_id": pl.String(),
    "observation_count": pl.Int64(),
    "first_observed_at": MOMENT,
    "last_observed_at": MOMENT,
}


@dataclass(frozen=True, slots=True)
class FieldColumn:
    """A column: the ``field`` it shows, its type, and how many values of it stayed text."""

    column: str
    field: str
    kind: Kind
    untyped: int


@dataclass(frozen=True, slots=True)
class Wide:
    """The entities of one type, and what their columns are."""

    rows: pl.DataFrame
    columns: tuple[FieldColumn, ...]


def wide(
    entity_type: str,
    snapshots: pl.DataFrame,
    declared: Mapping[str, str] | None,
    redactions: Redactions,
    salt: bytes,
) -> Wide:
    """Return the entities of a type, by id, as a table.

    ``snapshots``: the columns of ``OWN`` and ``snapshot``. ``declared``: the type of each field of
    the schema by its text, in its order; None where no schema describes the type: then every field
    there is.
    """
    ordered = snapshots.sort("entity_id").with_row_index("row")
    stated = members(ordered.select("row", text="snapshot")).with_columns(
        entity_type=pl.lit(entity_type)
    )
    kept = redact(stated, redactions, salt)
    present = kept["field"].unique().to_list()
    names = (
        sorted(present) if declared is None else [*declared, *sorted(set(present) - set(declared))]
    )
    hidden = {n for n in names if redactions.of(entity_type, n) == "drop"}
    by_field = kept.partition_by("field", as_dict=True)
    rows = ordered.select(*OWN)
    if not redactions.keeps_name(entity_type):
        rows = rows.with_columns(canonical_name=pl.lit(None, pl.String))
    columns, made, odd = [], [], {}
    taken = {name.lower() for name in (*OWN, UNTYPED)}
    for name in (n for n in names if n not in hidden):
        values = _values(by_field.get((name,)), ordered.height)
        is_hash = redactions.of(entity_type, name) == "hash"
        kind = "string" if is_hash else kind_of((declared or {}).get(name), values)
        column = type_values(values, kind)
        title = column_title(name, taken)
        made.append(column.values.alias(title))
        if not column.fits.all():
            odd[name] = (values, column.fits)
        columns.append(FieldColumn(title, name, kind, int((~column.fits).sum())))
    untyped = rest_as_texts(odd, ordered.height)
    return Wide(rows.with_columns(*made, untyped), tuple(columns))


def _values(stated: pl.DataFrame | None, rows: int) -> pl.Series:
    """Return the JSON text of one field of every row; null where it has none."""
    if stated is None:
        return pl.Series([None] * rows, dtype=pl.String)
    every = pl.DataFrame({"row": pl.int_range(rows, dtype=pl.UInt32, eager=True)})
    last = stated.unique("row", keep="last", maintain_order=True).select("row", "json")
    return every.join(last, on="row", how="left", maintain_order="left")["json"]
