"""Databases with encrypted columns, as tests make and read them."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from neotoma_core.files.keys import KeyFile
from tests.neotoma.test_encryption import KEY
from tests.support.databases import (
    Row,
    entity,
    make_database,
    observation,
)

PLANTED = "planted-harbour-lantern-77"


STATED = f'{{"title":"Plan","diary":"{PLANTED}"}}'


def key_file(folder: Path, secret: bytes) -> KeyFile:
    path = folder / "keys" / f"{secret[:2].hex()}.key"
    path.parent.mkdir(exist_ok=True)
    path.write_text(secret.hex())
    return KeyFile(path)


def database(path: Path, *observations: Row, **tables: Iterable[Row]) -> Path:
    return make_database(path, {"entities": [entity("e1")], "observations": observations, **tables})


def seal(identifier: str, fields: str, owner: str = "e1", **cells: object) -> Row:
    return observation(identifier, owner, fields=KEY.seal(fields), **cells)


def query(path: Path, sql: str) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def snapshots(path: Path, table: str = "entity_snapshots") -> list[tuple[str, ...]]:
    return query(path, f"SELECT snapshot, provenance FROM {table} ORDER BY 1, 2")


def open_cells(cells: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Open all cells; SealBroken where one is plain."""
    return [tuple(KEY.open(cell) for cell in row) for row in cells]
