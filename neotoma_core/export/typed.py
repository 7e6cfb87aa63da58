"""One column per field, of the type its schema declares; what does not fit stays as text.

A value is JSON text. A value that does not have the type of its column is NULL there and keeps its
text in ``_untyped``, a JSON object by field. So nothing is lost, and nothing is nulled silently.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import orjson
import polars as pl

from neotoma_core.neotoma.json import stringify
from neotoma_core.neotoma.times import instants

Kind = Literal["string", "float", "boolean", "date", "timestamp", "list", "json"]

UNTYPED: Final = "_untyped"
_DECLARED: Final[Mapping[str, Kind]] = {
    "string": "string",
    "number": "float",
    "boolean": "boolean",
    "date": "date",
    "array": "list",
    "object": "json",
}
_PLAIN_STRING: Final = r'^"[^\\"]*"$'
_DAY: Final = r"^\d{4}-\d\d-\d\d$"


@dataclass(frozen=True, slots=True)
class TypedColumn:
    """A column of typed values. ``fits``: whether each value, if any, has the type."""

    values: pl.Series
    kind: Kind
    fits: pl.Series


def kind_of(declared: str | None, values: pl.Series) -> Kind:
    """Return the type of a column: as declared, else what all its values are.

    A date without a time of day in any value is a date, else a timestamp.
    """
    if declared is not None and declared in _DECLARED:
        kind = _DECLARED[declared]
        return _day_or_moment(values) if kind == "date" else kind
    first = values.drop_nulls().str.head(1).unique().to_list()
    if not set(first) - {'"'}:
        return "string"
    if not set(first) - {"t", "f"}:
        return "boolean"
    if not set(first) - set("-0123456789"):
        return "float"
    return "list" if first == ["["] else "json"


def type_values(values: pl.Series, kind: Kind) -> TypedColumn:
    """Return JSON texts (null where there is no value) as values of a type."""
    given = values.set(values == "null", None)
    made = _MADE[kind](given)
    return TypedColumn(made, kind, made.is_not_null() | given.is_null())


def rest_as_texts(fields: Mapping[str, tuple[pl.Series, pl.Series]], rows: int) -> pl.Series:
    """Return the texts that fit no column: field → (values, fits), as one JSON object a row."""
    found: dict[int, dict[str, str]] = {}
    for name, (values, fits) in fields.items():
        odd = (
            pl.DataFrame({"value": values, "fits": fits})
            .with_row_index("row")
            .filter(~pl.col("fits"))
        )
        for row, value in odd.select("row", "value").iter_rows():
            found.setdefault(row, {})[name] = value
    texts = (
        [stringify(dict(found[row])) if row in found else None for row in range(rows)]
        if found
        else None
    )
    return pl.Series(UNTYPED, texts or [None] * rows, dtype=pl.String)


def decode_strings(values: pl.Series) -> pl.Series:
    """Return the values of JSON strings; null for what is not a string."""
    plain = values.str.contains(_PLAIN_STRING).fill_null(value=False)
    quick = values.str.strip_prefix('"').str.strip_suffix('"').set(~plain, None)
    is_other = values.str.starts_with('"') & ~plain
    return _with_others(quick, values, values.filter(is_other), _text)


def _with_others(
    quick: pl.Series, values: pl.Series, others: pl.Series, read: Callable[[str], object]
) -> pl.Series:
    distinct = others.drop_nulls().unique()
    if distinct.is_empty():
        return quick
    read_once = pl.DataFrame(
        {"text": distinct, "read": pl.Series([read(t) for t in distinct], dtype=quick.dtype)}
    )
    asked = pl.DataFrame({"text": values})
    found = asked.join(read_once, on="text", how="left", maintain_order="left")["read"]
    return found.zip_with(quick.is_null(), quick)


def _text(text: str) -> str | None:
    value = _load(text)
    return value if isinstance(value, str) else None


def _items(text: str) -> list[str | None] | None:
    value = _load(text)
    if not isinstance(value, list):
        return None
    return [v if isinstance(v, str) or v is None else stringify(v) for v in value]


def _load(text: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _day_or_moment(values: pl.Series) -> Kind:
    texts = decode_strings(values).drop_nulls()
    others = texts.filter(~texts.str.contains(_DAY))
    return "date" if instants(others).null_count() == len(others) else "timestamp"


def _moments(values: pl.Series) -> pl.Series:
    return instants(decode_strings(values)).cast(pl.Datetime("ms")).dt.replace_time_zone("UTC")


def _days(values: pl.Series) -> pl.Series:
    return decode_strings(values).str.to_date("%Y-%m-%d", strict=False)


def _numbers(values: pl.Series) -> pl.Series:
    is_number = values.str.contains(r"^-?\d").fill_null(value=False)
    return values.set(~is_number, None).cast(pl.Float64, strict=False)


def _booleans(values: pl.Series) -> pl.Series:
    return values.replace_strict(
        ["true", "false"], [True, False], default=None, return_dtype=pl.Boolean
    )


def _lists(values: pl.Series) -> pl.Series:
    none = pl.Series(values.name, [None] * len(values), dtype=pl.List(pl.String))
    return _with_others(none, values, values, _items)


_MADE: Final[Mapping[Kind, Callable[[pl.Series], pl.Series]]] = {
    "string": decode_strings,
    "float": _numbers,
    "boolean": _booleans,
    "date": _days,
    "timestamp": _moments,
    "list": _lists,
    "json": lambda values: values,
}
