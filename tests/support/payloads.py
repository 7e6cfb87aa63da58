"""Stores as Neotoma leaves them: a source, its raw file, and the observations that were written."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import orjson

from neotoma_core.neotoma.json import JsonValue, stringify
from tests.support.databases import USER, Row, entity, observation, source

AT: Final = "2026-02-01T10:00:00.000Z"
Tables = dict[str, list[Row]]


def send(
    raw: Path,
    identifier: str,
    items: Sequence[Mapping[str, JsonValue]],
    *,
    stored: Iterable[int] | None = None,
    indented: bool = False,
    content: bytes | None = None,
    **cells: object,
) -> Tables:
    """Return the rows of a store, and write its payload below the folder ``raw``.

    ``stored``: which items became observations, each of an entity of its own; None for all.
    ``content``: what the raw file holds instead. ``cells``: of the source.
    """
    text = write(items, indented=indented) if content is None else content
    digest = hashlib.sha256(text).hexdigest()
    user = cells.get("user_id", USER)
    name = f"{user}/{digest}"
    (raw / name).parent.mkdir(parents=True, exist_ok=True)
    (raw / name).write_bytes(text)
    chosen = range(len(items)) if stored is None else stored
    return {
        "sources": [
            {
                **source(identifier),
                "content_hash": digest,
                "storage_url": name,
                "provenance": '{"upload_method":"api_store"}',
                "created_at": AT,
                **cells,
            }
        ],
        "entities": [entity(f"{identifier}-e{n}", created_at=AT) for n in chosen],
        "observations": [
            observation(
                f"{identifier}-{n}",
                f"{identifier}-e{n}",
                source_id=identifier,
                user_id=user,
                created_at=AT,
                fields=stringify(fields_of(items[n])),
            )
            for n in chosen
        ],
    }


def write(items: Sequence[Mapping[str, JsonValue]], *, indented: bool = False) -> bytes:
    """Return the payload of items as Neotoma writes it."""
    return orjson.dumps(list(items), option=orjson.OPT_INDENT_2 if indented else None)


def fields_of(item: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    return {key: value for key, value in item.items() if key not in ("entity_type", "type")}


def together(*parts: Tables) -> Tables:
    """Return the rows of several stores as those of one database."""
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: [row for part in parts for row in part.get(name, [])] for name in names}


def note(title: str, **fields: JsonValue) -> dict[str, JsonValue]:
    return {"entity_type": "note", "title": title, **fields}
