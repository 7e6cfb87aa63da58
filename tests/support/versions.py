"""Empty databases in the shape of every released version of Neotoma."""

import json
import random
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from neotoma_core.neotoma.ddl import create_index, create_table
from neotoma_core.neotoma.tables import BY_NAME, Table
from tests.conftest import FIXTURES
from tests.support.databases import Row, insert


@dataclass(frozen=True)
class Version:
    """One shape that Neotoma's databases had: the columns of each table, the secondary indexes."""

    name: str
    date: str
    same: tuple[str, ...]
    columns: Mapping[str, frozenset[str]]
    indexes: frozenset[str]


def _versions() -> tuple[Version, ...]:
    found: list[Version] = []
    columns: dict[str, frozenset[str]] = {}
    indexes: frozenset[str] = frozenset()
    for stated in json.loads((FIXTURES / "released_versions.json").read_text()):
        for table, names in stated["adds"].items():
            columns[table] = columns.get(table, frozenset()) | frozenset(names.split())
        indexes |= frozenset(stated["indexes"].split())
        found.append(
            Version(
                stated["version"], stated["date"], tuple(stated["same"]), dict(columns), indexes
            )
        )
    return tuple(found)


VERSIONS: Final = _versions()
NEWEST: Final = VERSIONS[-1]


def make_version(
    path: Path,
    version: Version,
    tables: Mapping[str, Iterable[Row]] | None = None,
    *,
    shuffled: int | None = None,
) -> Path:
    """Create a database as ``version`` did, with rows; ``shuffled``: columns in that random order.

    Types, defaults and keys are those of today: Neotoma never changed one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for table in (_as_in(version, name, shuffled) for name in version.columns):
            connection.execute(create_table(table))
            for index in table.indexes:
                if index.name in version.indexes:
                    connection.execute(create_index(table, index))
        connection.execute("BEGIN")
        for name, rows in (tables or {}).items():
            for row in rows:
                insert(connection, name, row)
        connection.execute("COMMIT")
    return path


def _as_in(version: Version, name: str, shuffled: int | None) -> Table:
    table = BY_NAME[name]
    columns = [column for column in table.columns if column.name in version.columns[name]]
    assert {column.name for column in columns} == version.columns[name]
    if shuffled is not None:
        random.Random(shuffled).shuffle(columns)  # noqa: S311 - any order will do
    return replace(table, columns=tuple(columns))


def full_row(table: Table, version: Version, identifier: str, **cells: object) -> dict[str, object]:
    """Return a row of ``table`` with a value of its own in every column that ``version`` has."""
    row: dict[str, object] = {}
    for column in table.columns:
        if column.name not in version.columns[table.name]:
            continue
        if column.name in table.key or column.refers:
            row[column.name] = identifier
        elif column.type == "INTEGER":
            row[column.name] = 7
        elif column.type == "REAL":
            row[column.name] = 0.25
        else:
            row[column.name] = f"{column.name} of {identifier}"
    times = {"observed_at", "created_at", "event_timestamp"}
    row |= dict.fromkeys(times & row.keys(), "2026-02-01T00:00:00.000Z")
    documents = {"fields": f'{{"title":"{identifier}"}}', "metadata": '{"note":"n"}'}
    row |= {name: text for name, text in documents.items() if name in row}
    return row | {name: cell for name, cell in cells.items() if name in row}
