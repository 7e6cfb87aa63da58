"""Schemas from a JSON file, in the shapes in which Neotoma exports them.

One schema is an object with ``entity_type``, ``schema_version``, ``schema_definition`` and
``reducer_config``; a file holds one, an array of them, or an object with such an array under
``schemas``. Upstream: export_schema_snapshots.ts.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from neotoma_core.errors import UsageError, reason_of
from neotoma_core.files.small import read_small
from neotoma_core.neotoma.json import JsonValue, NotJson, parse_json, stringify

Row = Mapping[str, object]

_ADVICE: Final = "give another Neotoma database, or a JSON file as Neotoma exports schemas"


def read_exported(path: Path) -> list[Row]:
    """Return exported schemas as rows of ``schema_registry``, the active ones first.

    What is not said counts as the most common: version 1.0, active, for all users. Of a type with
    no active schema the one listed last is taken for active: an export made without a database
    marks none. Raises UsageError where the file holds no schemas.
    """
    rows = [_row(path, schema) for schema in _schemas(path, _document(path))]
    active = {row["entity_type"] for row in rows if row["active"] == "1"}
    last = {row["entity_type"]: row for row in rows if row["entity_type"] not in active}
    shown = (row for row in rows if row["active"] == "1")
    return [*shown, *({**row, "active": "1"} for row in last.values())]


def _document(path: Path) -> JsonValue:
    try:
        return parse_json(read_small(path).decode("utf-8-sig"))
    except (NotJson, UnicodeDecodeError):
        pass  # its text may be part of the message
    except OSError as error:
        raise UsageError(f"schemas {path}: {reason_of(error)}; {_ADVICE}") from error
    raise UsageError(f"schemas {path}: neither a database nor JSON; {_ADVICE}")


def _schemas(path: Path, document: JsonValue) -> Iterator[dict[str, JsonValue]]:
    if isinstance(document, dict) and "entity_type" not in document:
        document = document.get("schemas")
    for schema in document if isinstance(document, list) else [document]:
        if not isinstance(schema, dict) or not isinstance(schema.get("entity_type"), str):
            raise UsageError(f"schemas {path}: holds something that is not a schema; {_ADVICE}")
        yield schema


def _row(path: Path, schema: Mapping[str, JsonValue]) -> Row:
    if "schema_definition" not in schema:
        name = schema["entity_type"]
        raise UsageError(f"schemas {path}: {name} has no schema_definition; {_ADVICE}")
    return {
        "entity_type": schema["entity_type"],
        "schema_version": schema.get("schema_version") or "1.0",
        "schema_definition": _text(schema["schema_definition"]),
        "reducer_config": _text(schema.get("reducer_config") or {}),
        "active": "1" if schema.get("active", True) else "0",
        "scope": schema.get("scope") or "global",
        "user_id": schema.get("user_id"),
    }


def _text(document: JsonValue) -> str:
    """Return a document as the registry stores it; some tools export it as text already."""
    return document if isinstance(document, str) else stringify(document)
