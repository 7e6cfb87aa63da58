"""Tables and columns that Neotoma does not know, or no longer: stated by the databases themselves.

What a database declares is text from outside. Only what is plain is taken from it: names, which
are quoted wherever they are used, types made of words, and defaults that are single literals.
"""

import re
from collections.abc import Collection
from typing import Final

from neotoma_core.neotoma.tables.shape import Column

LEGACY: Final = frozenset(
    {
        "records",
        "record_relationships",
        "record_entity_edges",
        "record_event_edges",
        "entity_event_edges",
        "state_events",
        "relationships",
        "payload_submissions",
        "interpretation_runs",
    }
)
"""Tables of Neotoma before 0.3. It drops them when it next opens a database (format, 1.2)."""

_ROW_NUMBERS: Final = ("rowid", "_rowid_", "oid")
_WORDS: Final = (
    "ANY|BIG|BIGINT|BLOB|BOOL|BOOLEAN|CHAR|CHARACTER|CLOB|DATE|DATETIME|DECIMAL|DOUBLE|FLOAT|INT|"
    "INT2|INT8|INTEGER|JSON|JSONB|MEDIUMINT|NATIVE|NCHAR|NUMERIC|NVARCHAR|PRECISION|REAL|SMALLINT|"
    "STRING|TEXT|TIME|TIMESTAMP|TINYINT|UNSIGNED|UUID|VARCHAR|VARYING"
)
_TYPE: Final = re.compile(
    rf"({_WORDS})( ({_WORDS}))*( ?\(\d+(, ?\d+)?\))?", re.ASCII | re.IGNORECASE
)
_PLAIN_TYPES: Final = {
    "integer": "INT",
    "text": "TEXT",
    "blob": "",
    "real": "REAL",
    "numeric": "NUMERIC",
}
_REALS: Final = ("REAL", "FLOA", "DOUB")  # codespell:ignore
_LITERAL: Final = re.compile(
    r"[-+]?\d+(\.\d+)?|'([^'\x00]|'')*'|[xX]'([0-9A-Fa-f]{2})*'|true|false", re.IGNORECASE
)
_LONGEST: Final = 200
_ASCII_LOWER: Final = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


def make_printable(text: str) -> str:
    """Return text from outside as it may be printed: nothing in it moves the cursor or hides."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def fold_case(name: str) -> str:
    """Return ``name`` as SQLite compares names: without the case of ASCII letters."""
    return name.translate(_ASCII_LOWER)


def row_number_of(columns: Collection[str]) -> str | None:
    """Return a name for the row number that no column has; None where they have them all."""
    taken = {fold_case(name) for name in columns}
    return next((name for name in _ROW_NUMBERS if name not in taken), None)


def describe_column(name: str, declared: str, default: str | None, *, required: bool) -> Column:
    """Return the facts of a column from what a database says of it.

    A type of other words than is usual gives way to a plain one under which cells are the same.
    """
    plain = _TYPE.fullmatch(declared) and len(declared) <= _LONGEST
    kept = declared if plain else _PLAIN_TYPES[affinity(declared)]
    stated = default is not None and len(default) <= _LONGEST and _LITERAL.fullmatch(default)
    return Column(
        name,
        "TEXT",
        required=required,
        default=default if stated else None,
        declared=kept,
    )


def affinity(declared: str) -> str:
    """Return into what SQLite turns cells of a column declared so, by its own rules in order."""
    upper = declared.upper()
    if "INT" in upper:
        return "integer"
    if any(word in upper for word in ("CHAR", "CLOB", "TEXT")):
        return "text"
    if not upper or "BLOB" in upper:
        return "blob"
    if any(word in upper for word in _REALS):
        return "real"
    return "numeric"


def owner_of(name: str, virtual: Collection[str]) -> str | None:
    """Return the virtual table that keeps its data in the table ``name``; None for a plain one.

    By name alone: the module that could say so may not be here.
    """
    return next((v for v in virtual if fold_case(name).startswith(fold_case(v) + "_")), None)
