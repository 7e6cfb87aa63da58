"""What a search reads of one copy, as plain data: a document and tables; see ``answers``."""

import io
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import polars as pl

from neotoma_core.comparison.holdings import MADE, RANDOM, ROW, Coder, Holdings
from neotoma_core.documents.models import NotAsModelled, read_model
from neotoma_core.salvage.at_rest import Journal, State
from neotoma_core.salvage.examining import Examined
from neotoma_core.salvage.rows import Salvaged
from neotoma_core.workers.answers import place_within

Tables = Mapping[str, pl.DataFrame]

_NAME: Final = "name"
_REGISTRY: Final = "schema_registry"
_NAMED: Final = {ROW: pl.UInt32, _NAME: pl.String}
_TIMED: Final = {ROW: pl.UInt32, MADE: pl.UInt64}


def table_to_bytes(table: pl.DataFrame) -> bytes:
    """Return a table as bytes."""
    stream = io.BytesIO()
    table.write_ipc_stream(stream)
    return stream.getvalue()


def table_from_bytes(content: bytes) -> pl.DataFrame:
    """Return the table in some bytes; raises NotAsModelled."""
    try:
        return pl.read_ipc_stream(content)
    except (pl.exceptions.PolarsError, OSError):
        pass
    raise NotAsModelled("", "a table")


@dataclass(frozen=True, slots=True)
class Held:
    """``Holdings`` without their tables."""

    rows: Mapping[str, int]
    days: Mapping[str, int]
    types: Mapping[str, int]
    first: str | None
    last: str | None
    version: tuple[str, str | None]
    unproven: int
    made_span: tuple[str | None, str | None]


@dataclass(frozen=True, slots=True)
class _Read:
    """``Examined``; ``size`` and ``mtime_ns`` as text, since they may be any whole number.

    ``salvaged``: the name of a file in the folder that was given.
    """

    state: State
    problem: str
    content: str
    size: str
    mtime_ns: str
    journal: Journal
    journal_bytes: int
    held: Held | None
    salvaged: str | None
    means: str
    advice: str


def plain_of_examined(one: Examined, coder: Coder) -> tuple[dict[str, object], dict[str, bytes]]:
    """Return what was read of a copy, and its tables; codes are given back their names."""
    held = None
    tables: dict[str, bytes] = {}
    if one.holdings is not None:
        held, tables = plain_of_holdings(one.holdings, coder)
    saved = one.salvaged
    facts = {
        name: getattr(one, name)
        for name in ("state", "problem", "content", "journal", "journal_bytes")
    }
    return {
        **facts,
        "size": str(one.size),
        "mtime_ns": str(one.mtime_ns),
        "held": held,
        "salvaged": saved.database.name if saved else None,
        "means": saved.means if saved else "",
        "advice": saved.advice if saved else "",
    }, tables


def plain_of_holdings(
    holdings: Holdings, coder: Coder
) -> tuple[dict[str, object], dict[str, bytes]]:
    """Return what a copy holds, and its tables; codes are given back their names."""
    tables: dict[str, bytes] = {}
    coded = {**holdings.ids, _REGISTRY: holdings.random[_REGISTRY]}
    for table, rows in coded.items():
        names = coder.names(table, rows[ROW]).alias(_NAME)
        tables[f"ids {table}"] = table_to_bytes(pl.DataFrame([rows[ROW], names]))
    for table, rows in holdings.made.items():
        tables[f"made {table}"] = table_to_bytes(rows)
    return asdict(Held(**{name: getattr(holdings, name) for name in Held.__slots__})), tables


def read_examined(
    document: object, tables: Mapping[str, bytes], folder: Path, coder: Coder
) -> Examined:
    """Return what was read of a copy, ids encoded again; raises NotAsModelled.

    ``folder``: where what was salvaged of it is.
    """
    read = read_model(_Read, document)
    held = read.held
    saved = None
    if read.salvaged is not None:
        saved = Salvaged(place_within(folder, read.salvaged), read.means, read.advice)
    return Examined(
        read.state,
        read.problem,
        read.content,
        _whole(read.size, "size"),
        _whole(read.mtime_ns, "mtime_ns"),
        read.journal,
        read.journal_bytes,
        read_held(held, tables, coder) if held is not None else None,
        saved,
    )


def read_held(held: Held, tables: Mapping[str, bytes], coder: Coder) -> Holdings:
    """Return what a copy holds, ids encoded again; raises NotAsModelled."""
    named, timed = _of_kind(tables, "ids", _NAMED), _of_kind(tables, "made", _TIMED)
    if _REGISTRY not in named or not timed.keys() <= named.keys():
        raise NotAsModelled("", "with all its tables")
    # A code may be in a table once only, or a row would be counted for two.
    codes = {
        table: rows.select(ROW, code=coder.encode(table, rows[_NAME]))
        for table, rows in named.items()
    }
    coded = {table: pl.DataFrame({ROW: rows["code"]}).unique() for table, rows in codes.items()}
    registry = coded.pop(_REGISTRY)
    made = {
        table: rows.join(codes[table], on=ROW).select(pl.col("code").alias(ROW), MADE)
        for table, rows in timed.items()
    }
    random = {_REGISTRY: registry} | {name: coded[name] for name in RANDOM if name in coded}
    plain = {name: getattr(held, name) for name in Held.__slots__}
    return Holdings(ids=coded, made=made, random=random, **plain)


def _of_kind(
    tables: Mapping[str, bytes], kind: str, schema: Mapping[str, type[pl.DataType]]
) -> dict[str, pl.DataFrame]:
    found = {}
    for name, content in tables.items():
        of, _, table = name.partition(" ")
        if of == kind:
            found[table] = table_from_bytes(content)
            if found[table].schema != schema or sum(found[table].null_count().row(0)):
                raise NotAsModelled(name, "a table of its columns")
    return found


def _whole(text: str, field: str) -> int:
    try:
        return int(text)
    except ValueError:
        pass
    raise NotAsModelled(field, "a whole number")


@dataclass(frozen=True, slots=True)
class _Saved:
    """``Salvaged``; ``database``: the name of a file in the folder that was given."""

    database: str
    means: str
    advice: str


def read_salvaged(document: object, folder: Path) -> Salvaged | None:
    """Return what was salvaged into ``folder``; raises NotAsModelled."""
    if document is None:
        return None
    saved = read_model(_Saved, document)
    return Salvaged(place_within(folder, saved.database), saved.means, saved.advice)
