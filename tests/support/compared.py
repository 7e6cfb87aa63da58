"""Comparing snapshots as Neotoma would read them: JSON by value, everything else exactly."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import polars as pl

_JSON = ("snapshot", "provenance")
_CLOCK = {"relationship_snapshots": "computed_at"}
_KEYS = {"entity_snapshots": "entity_id", "relationship_snapshots": "relationship_key"}


def differences(database: Path, table: str, expected: Path) -> list[str]:
    """Return what differs, as ``key column``; an absent or surplus row as ``key``."""
    key = _KEYS[table]
    wanted = {row[key]: row for row in pl.read_parquet(expected).iter_rows(named=True)}
    with closing(sqlite3.connect(database)) as connection:
        connection.row_factory = sqlite3.Row
        connection.text_factory = text_of
        found = {row[key]: dict(row) for row in connection.execute(f"SELECT * FROM {table}")}
    different = sorted(wanted.keys() ^ found.keys())
    for name in wanted.keys() & found.keys():
        for column, value in wanted[name].items():
            if column in _JSON:
                same = with_types(json.loads(value)) == with_types(json.loads(found[name][column]))
            else:
                same = column == _CLOCK.get(table) or value == found[name][column]
            if not same:
                different.append(f"{name} {column}")
    return different


def text_of(raw: bytes) -> str:
    """Return stored text; invalid UTF-8 as ``hex:`` and its bytes, as the fixtures have it."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return f"hex:{raw.hex()}"


def with_types(value: object) -> object:
    """Return a value in which JSON equality is Python equality: 1 is 1.0, true is not 1."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return (type(value).__name__, value)
    if isinstance(value, int | float):
        return ("number", float(value))
    if isinstance(value, list):
        return ("array", tuple(with_types(item) for item in value))
    assert isinstance(value, dict)
    return ("object", frozenset((name, with_types(item)) for name, item in value.items()))
