"""Cells as text: one form for everything a SQLite cell can hold, whatever its column declares.

A frame of stored rows has a text for every cell, NULL where the cell is NULL, and two cells have
the same text only where SQLite holds the same in both:

text       itself
a number   its digits, in a column that is declared to hold numbers
others     ``ODD`` and an SQL literal: blobs, text that is not UTF-8, text in a column of numbers,
           numbers in a column of text, and text that starts with ``ODD`` itself

The reducer sees what JavaScript sees of a cell: ``javascript_text``, ``javascript_value``.
Upstream: better-sqlite3 reads text with U+FFFD for each byte that is not UTF-8.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from math import isinf
from typing import TYPE_CHECKING, Final, TypeVar

from neotoma_core.neotoma.json import javascript_trim, number_text

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_Row = TypeVar("_Row", bound="DataclassInstance")

ODD: Final = "\ufdd0"
"""A code point that Unicode keeps free of any character, so that no text needs to start with it."""

SqlValue = str | bytes | int | float | None

_INTEGER: Final = re.compile(r"-?\d+", re.ASCII)
_REAL: Final = re.compile(r"-?\d+\.\d+(e[+-]?\d+)?", re.ASCII)
_BLOB: Final = re.compile(r"X'((?:[0-9A-F]{2})*)'", re.ASCII)
_BYTES: Final = re.compile(r"CAST\(X'((?:[0-9A-F]{2})*)' AS TEXT\)", re.ASCII)
_TEXT: Final = re.compile(r"'((?:[^']|'')*)'", re.DOTALL)
MOST_INTEGER: Final = 2**63
_JAVASCRIPT_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_RADIX: Final = {"0x": 16, "0o": 8, "0b": 2}


class NotALiteral(ValueError):
    """A text that is not the literal of one cell. The message does not hold it."""


def cell_of_text(raw: bytes) -> str:
    """Return the cell of a text, given its bytes as SQLite has them."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return ODD + text_literal(raw)
    return ODD + text_literal(raw) if text.startswith(ODD) else text


def cell_of_javascript(text: str) -> str:
    """Return the cell that a JavaScript string becomes: a lone surrogate as three bytes."""
    return cell_of_text(text.encode("utf-8", "surrogatepass"))


def cell_of_value(value: bytes | float) -> str:
    """Return the cell of a value that is not text, in a column of text."""
    if isinstance(value, bytes):
        return f"{ODD}X'{value.hex().upper()}'"
    if isinstance(value, int):
        return f"{ODD}{value}"
    if isinf(value):
        return f"{ODD}{'-' if value < 0 else ''}9.0e+999"
    digits, exponent, power = repr(value).partition("e")
    return f"{ODD}{digits if '.' in digits else f'{digits}.0'}{exponent}{power}"


def text_literal(raw: bytes) -> str:
    """Return the literal of a text that is spelled by its bytes."""
    return f"CAST(X'{raw.hex().upper()}' AS TEXT)"


def sql_of(cell: str | None) -> tuple[str, SqlValue]:
    """Return the expression of a cell of text and the value to bind to its one ``?``.

    Raises NotALiteral.
    """
    if cell is None or not cell.startswith(ODD):
        return "?", cell
    return sql_of_literal(cell.removeprefix(ODD))


def sql_of_literal(text: str) -> tuple[str, SqlValue]:
    """Return the expression of an SQL literal and the value to bind; raises NotALiteral."""
    if _INTEGER.fullmatch(text) and -MOST_INTEGER <= int(text) < MOST_INTEGER:
        return "?", int(text)
    if _REAL.fullmatch(text):
        return "?", float(text)
    if found := _BLOB.fullmatch(text):
        return "?", bytes.fromhex(found[1])
    if found := _BYTES.fullmatch(text):
        return "CAST(? AS TEXT)", bytes.fromhex(found[1])
    if found := _TEXT.fullmatch(text):
        return "?", found[1].replace("''", "'")
    raise NotALiteral("not the literal of one cell")


def javascript_text(cell: str) -> str:
    """Return what JavaScript reads of a cell of text: bytes that are not UTF-8 become U+FFFD."""
    _, value = sql_of(cell)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, str) else number_text(float(value or 0))


def with_javascript_texts(row: _Row, columns: Sequence[str]) -> _Row:
    """Return a row with some of its columns as JavaScript reads them; the others keep their cells.

    ``row``: a dataclass with a field per column, of cells of text.
    """
    texts = {
        name: javascript_text(cell)
        for name in columns
        if isinstance(cell := getattr(row, name), str) and cell.startswith(ODD)
    }
    return replace(row, **texts) if texts else row


def sqlite_value(cell: str | None) -> SqlValue:
    """Return what SQLite has in a cell of a column of numbers."""
    if cell is None or cell.startswith(ODD):
        _, value = sql_of(cell)
        return value
    return int(cell) if _INTEGER.fullmatch(cell) else float(cell)


def javascript_value(value: SqlValue) -> float | str | None:
    """Return what JavaScript has of a value of a column of numbers.

    Integers are doubles to it: beyond 2**53 neighbours are equal. A blob is an object, equal to
    nothing else, and NaN wherever a number is wanted.
    """
    if value is None or isinstance(value, str):
        return value
    return float("nan") if isinstance(value, bytes) else float(value)


def javascript_number(value: float | str | None) -> float:
    """Return the number JavaScript computes with: NULL is 0, other text than a number NaN."""
    if isinstance(value, str):
        return _number_of_text(value)
    return 0.0 if value is None else value


def sql_order(value: SqlValue) -> tuple[int, float | bytes]:
    """Return what sorts as SQLite sorts values: NULL, numbers by value, text by bytes, blobs."""
    if value is None:
        return (0, 0)
    if isinstance(value, str):
        return (2, value.encode("utf-8", "surrogatepass"))
    return (3, value) if isinstance(value, bytes) else (1, value)


def _number_of_text(text: str) -> float:
    """Return the number of a text, as ECMAScript's StringToNumber has it."""
    trimmed = javascript_trim(text)
    if not trimmed:
        return 0.0
    if _JAVASCRIPT_NUMBER.fullmatch(trimmed):
        return float(trimmed)
    if trimmed.lstrip("+-") == "Infinity" and len(trimmed) <= len("+Infinity"):
        return float(trimmed)
    radix = _RADIX.get(trimmed[:2].lower())
    try:
        plain = radix is not None and trimmed[2:].isalnum()
        return float(int(trimmed[2:], radix or 0)) if plain else float("nan")
    except ValueError:
        return float("nan")
