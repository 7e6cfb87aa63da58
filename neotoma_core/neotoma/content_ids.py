"""Telling which salvaged rows are whole: an id that is the hash of its row's content proves it.

Upstream: observation_identity.ts, source_identity.ts, relationships.ts, timeline_events.ts (format,
section 2). A table whose ids are random or not hashes of content proves nothing either way.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import polars as pl

from neotoma_core.neotoma.frames import ROWID, is_odd
from neotoma_core.neotoma.json import NotJson, parse_json, stringify

UNPROVEN: Final = "salvaged, and its id is not the hash of its content"
_LONG_ID: Final = 64
_UUID_HEX: Final = 32
_NO_ONE: Final = "none"
_FEW: Final = 0.1
_HASH_ID: Final = "^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{64})$"
_RANDOM_ID: Final = "^.{14}4.{4}[89ab]"
_PLAIN: Final = re.compile(r"[\w.:@/-]*", re.ASCII)  # text that JSON has as it is

Row = Mapping[str, object]


def unproven(
    table: str, rows: pl.DataFrame, merged_into: Mapping[str, Sequence[str]]
) -> pl.DataFrame:
    """Return ``_rowid``, ``column``, ``reason`` of the rows whose id does not prove them whole.

    ``rows``: of ``table``, opened. ``merged_into``: entity → entities that were merged into it; an
    observation keeps the id it had before (format, 7.3).
    """
    broken: list[int] = []
    proves = _RULES.get(table)
    if proves is not None:
        names = [ROWID, *(name for name in NEEDED[table] if name in rows.columns)]
        broken.extend(
            row[ROWID]
            for row in rows.select(names).iter_rows(named=True)
            if row["id"] is not None and not proves(row, merged_into)
        )
    return pl.DataFrame({ROWID: broken}, schema={ROWID: pl.Int64}).with_columns(
        column=pl.lit("id"), reason=pl.lit(UNPROVEN)
    )


def is_proven(table: str, row: Row) -> bool:
    """Return whether a row is one of ``table``, whole: its id is the hash of its content."""
    if table not in _RULES or not isinstance(row.get("id"), str):
        return False
    cells = {name: row.get(name) for name in NEEDED[table]}
    return _RULES[table](cells, {}) and not (table == "sources" and _is_random(str(row["id"])))


def are_proven(
    table: str, rows: pl.DataFrame, merged_into: Mapping[str, Sequence[str]]
) -> pl.Series:
    """Return which rows are whole, since their id is the hash of their content.

    ``rows``, ``merged_into``: see ``unproven``; but a random id proves nothing.
    """
    lacking = [pl.lit(None, pl.String).alias(n) for n in NEEDED[table] if n not in rows.columns]
    proves = _RULES[table]
    told = [
        row["id"] is not None
        and proves(row, merged_into)
        and not (table == "sources" and _is_random(str(row["id"])))
        for row in rows.with_columns(lacking).select(NEEDED[table]).iter_rows(named=True)
    ]
    return pl.Series("proven", told, dtype=pl.Boolean)


def could_be_proven(table: str, rows: pl.DataFrame) -> pl.Series:
    """Return which rows have an id that looks like a hash, of texts as Neotoma writes them."""
    needed = [name for name in NEEDED[table] if name in rows.columns]
    odd = pl.any_horizontal(is_odd(pl.col(name)).fill_null(value=False) for name in needed)
    like = pl.col("id").str.contains(_HASH_ID).fill_null(value=False)
    random = pl.lit(table == "sources") & pl.col("id").str.contains(_RANDOM_ID)
    return rows.select((like & ~odd & ~random.fill_null(value=False)).alias("could"))["could"]


def doubtful(
    table: str, rows: pl.DataFrame, merged_into: Mapping[str, Sequence[str]]
) -> pl.DataFrame:
    """Return the rows whose id is a hash, and not that of their content; see ``are_proven``.

    None where many are: then the ids of this table are not hashes. None for edges either, where
    entities were merged: those were given new ends, and do not say what they had.
    """
    checked = rows.filter(could_be_proven(table, rows))
    found = checked.filter(~are_proven(table, checked, merged_into))
    are_hashes = found.height < checked.height and found.height <= max(_FEW * checked.height, 1)
    repointed = table == "relationship_observations" and bool(merged_into)
    return found if are_hashes and not repointed else found.clear()


def mergers(merges: pl.DataFrame) -> dict[str, list[str]]:
    """Return entity → entities that were merged into it. ``merges``: rows of entity_merges."""
    merged_into: dict[str, list[str]] = {}
    for gone, into in merges.select("from_entity_id", "to_entity_id").drop_nulls().iter_rows():
        merged_into.setdefault(into, []).append(gone)
    return merged_into


def _observation(row: Row, merged_into: Mapping[str, Sequence[str]]) -> bool:
    entity = str(row["entity_id"])
    earlier = (entity, *_before(entity, merged_into))
    if len(str(row["id"])) == _LONG_ID:
        return _is_mark(row, earlier, "fields", ("deleted_at", "restored_at"))
    return any(row["id"] == _uuid(text) for e in earlier for text in _observation_texts(row, e))


def _observation_texts(row: Row, entity: str) -> Iterator[str]:
    head = (
        f'{{"source_id":{_json(row["source_id"] or _NO_ONE)},'
        f'"interpretation_id":{_json(row["interpretation_id"] or _NO_ONE)},'
        f'"entity_id":{_json(entity)},"fields":{row["fields"]}'
    )
    key = row.get("idempotency_key")
    if key is not None:
        yield f'{head},"idempotency_key":{_json(key)}}}'
    yield f"{head}}}"


def _relationship(row: Row, _: Mapping[str, Sequence[str]]) -> bool:
    key = str(row["relationship_key"])
    if len(str(row["id"])) == _LONG_ID:
        return _is_mark(row, (key,), "metadata", ("deleted_at", "restored_at"))
    names = ("source_id", "interpretation_id", "relationship_key", "canonical_hash")
    cells = ",".join(f'"{name}":{_json(row[name])}' for name in names)
    return row["id"] == _uuid(f"{{{cells}}}")


def _source(row: Row, _: Mapping[str, Sequence[str]]) -> bool:
    identifier = str(row["id"])
    is_hash = identifier == _uuid(f"source:{row['user_id']}:{row['content_hash']}")
    return is_hash or _is_random(identifier)


def _event(row: Row, _: Mapping[str, Sequence[str]]) -> bool:
    parts = (row["source_id"] or "", row["entity_id"], row["source_field"], row["event_timestamp"])
    digits = list(_sha256(":".join(map(str, parts)))[:_UUID_HEX])
    digits[12], digits[16] = "4", "a"
    return row["id"] == _dash("".join(digits))


def _is_mark(row: Row, subjects: Sequence[str], column: str, times: Sequence[str]) -> bool:
    """Return whether the id is that of a deletion or restoration, whose hash covers its time."""
    try:
        said = parse_json(str(row[column]))
    except NotJson:
        return False
    known = said if isinstance(said, dict) else {}
    told = (known.get(name) for name in times)
    moments = {row["observed_at"], row["created_at"], *(t for t in told if isinstance(t, str))}
    return any(
        row["id"] == _sha256(f"{subject}:{what}:{moment}")
        for subject in subjects
        for what in ("deletion", "restoration")
        for moment in moments
    )


def _before(entity: str, merged_into: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield the entities merged into one, and those merged into them, each once."""
    seen, waiting = {entity}, [entity]
    while waiting:
        for other in merged_into.get(waiting.pop(), ()):
            if other not in seen:
                seen.add(other)
                waiting.append(other)
                yield other


def _is_random(identifier: str) -> bool:
    """Return whether an id has the marks of a random UUID: then it is not a hash."""
    return len(identifier) == 36 and identifier[14] == "4" and identifier[19] in "89ab"  # noqa: PLR2004


def _json(value: object) -> str:
    if value is None:
        return "null"
    text = str(value)
    return f'"{text}"' if _PLAIN.fullmatch(text) else stringify(text)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _uuid(text: str) -> str:
    return _dash(_sha256(text)[:_UUID_HEX])


def _dash(digits: str) -> str:
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


_RULES: Final[dict[str, Callable[[Row, Mapping[str, Sequence[str]]], bool]]] = {
    "observations": _observation,
    "relationship_observations": _relationship,
    "sources": _source,
    "timeline_events": _event,
}
NEEDED: Final = {
    "observations": (
        "id",
        "entity_id",
        "source_id",
        "interpretation_id",
        "fields",
        "idempotency_key",
        "observed_at",
        "created_at",
    ),
    "relationship_observations": (
        "id",
        "relationship_key",
        "source_id",
        "interpretation_id",
        "canonical_hash",
        "metadata",
        "observed_at",
        "created_at",
    ),
    "sources": ("id", "user_id", "content_hash"),
    "timeline_events": ("id", "source_id", "entity_id", "source_field", "event_timestamp"),
}
