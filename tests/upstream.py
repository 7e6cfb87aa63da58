"""What a source tree of Neotoma has that Midden does not know.

``python -m tests.upstream CHECKOUT`` prints what is new: tables, columns, indexes, triggers, merge
strategies, converters, types with a schema in the code, and files with rules that are not as they
were when they were last read. ``--record RELEASE`` writes down those files' hashes, and the types,
once somebody has read them. Run by hand, before a release is called known. Exit code 1 where
anything is new, 2 where the tree is not one of Neotoma's.
"""

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from neotoma_core.documents.document import document
from neotoma_core.neotoma.converters import CONVERTERS
from neotoma_core.neotoma.tables import BY_NAME, TABLES
from neotoma_core.neotoma.tables.carried import LEGACY
from neotoma_core.reduce.exact.rule_sets import KNOWN

READ: Final = Path(__file__).parents[1] / "data" / "fixtures" / "upstream_read.json"
"""By file: the SHA-256 that was read, and of which release; ``types``: those with a code schema."""

CLIENT: Final = "src/repositories/sqlite/sqlite_client.ts"
REDUCER: Final = "src/reducers/observation_reducer.ts"
FIELD_CONVERTERS: Final = "src/services/field_converters.ts"
DEFINITIONS: Final = "src/services/schema_definitions.ts"
RULE_FILES: Final = (
    CLIENT,
    REDUCER,
    "src/reducers/relationship_reducer.ts",
    FIELD_CONVERTERS,
    "src/services/field_validation.ts",
    DEFINITIONS,
    "src/services/schema_registry.ts",
    "src/services/snapshot_computation.ts",
    "src/services/entity_merge.ts",
    "src/services/entity_split.ts",
    "src/services/attachment_resolution.ts",
    "src/services/attachment_resolution_sqlite.ts",
    "src/services/deletion.ts",
    "src/repositories/sqlite/local_db_adapter.ts",
)

_TABLE: Final = re.compile(
    r"CREATE TABLE IF NOT EXISTS\s+(\w+)\s*\((.*?)\n?\s*\)\s*[`\"]", re.DOTALL
)
_ADDED: Final = re.compile(r"addColumnIfMissing\(\s*\w+,\s*\"(\w+)\",\s*\"(\w+)\"")
_INDEX: Final = re.compile(r"CREATE (?:UNIQUE )?INDEX IF NOT EXISTS\s+(\w+)")
_TRIGGER: Final = re.compile(r"CREATE TRIGGER (?:IF NOT EXISTS )?(\w+)")
_STRATEGY: Final = re.compile(r"case \"(\w+)\":")
_CONVERTER: Final = re.compile(r"^  (\w+): convert\w+,", re.MULTILINE)
_TYPE: Final = re.compile(r"entity_type: \"(\w+)\"")
_NO_COLUMN: Final = ("PRIMARY", "UNIQUE", "FOREIGN", "CHECK", "CONSTRAINT")


def new_in(checkout: Path, read: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for everything in a source tree that is not known."""
    client = _text(checkout, CLIENT)
    yield from _new_columns(client)
    known_indexes = {index.name for table in TABLES for index in table.indexes}
    yield from _name("index", set(_INDEX.findall(client)) - known_indexes)
    yield from _name("trigger", set(_TRIGGER.findall(client)))
    strategies = set(_STRATEGY.findall(_text(checkout, REDUCER)))
    yield from _name("strategy", strategies - {s for rules in KNOWN for s in rules.strategies})
    converters = set(_CONVERTER.findall(_text(checkout, FIELD_CONVERTERS)))
    yield from _name("converter", converters - CONVERTERS)
    yield from _name("type with a schema", types_in(checkout) - set(read.get("types", ())))
    for name in RULE_FILES:
        digest, known = digest_of(checkout, name), read.get("files", {}).get(name, {})
        if digest is None:
            yield f"gone: {name}"
        elif digest != known.get("sha256"):
            when = f"as {known['release']} has it" if known else "before"
            yield f"file not read {when}: {name}"


def types_in(checkout: Path) -> set[str]:
    """Return the types that have a schema in the code."""
    return set(_TYPE.findall(_text(checkout, DEFINITIONS)))


def digest_of(checkout: Path, name: str) -> str | None:
    """Return the SHA-256 of a file; None where it is not there."""
    path = checkout / name
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def record(checkout: Path, release: str) -> dict[str, Any]:
    """Return what is to be written down once the files of a release were read."""
    digests = {name: digest_of(checkout, name) for name in RULE_FILES}
    return {
        "files": {n: {"release": release, "sha256": d} for n, d in digests.items() if d},
        "types": sorted(types_in(checkout)),
    }


def _new_columns(client: str) -> Iterator[str]:
    found: dict[str, set[str]] = {}
    for table, body in _TABLE.findall(client):
        words = [line.strip().split(maxsplit=1) for line in body.split("\n")]
        names = {parts[0] for parts in words if len(parts) > 1 and parts[0].isidentifier()}
        found.setdefault(table, set()).update(names.difference(_NO_COLUMN))
    for table, column in _ADDED.findall(client):
        found.setdefault(table, set()).add(column)
    yield from _name("table", set(found) - set(BY_NAME) - LEGACY)
    for table in sorted(set(found) & set(BY_NAME)):
        yield from _name(f"column of {table}", found[table] - set(BY_NAME[table].names))


def _name(what: str, names: set[str]) -> Iterator[str]:
    yield from (f"{what}: {name}" for name in sorted(names))


def _text(checkout: Path, name: str) -> str:
    path = checkout / name
    return path.read_text() if path.is_file() else ""


def main(words: list[str]) -> int:
    """Print what is new in a checkout."""
    parser = argparse.ArgumentParser("python -m tests.upstream", description="What is new?")
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--record", metavar="RELEASE")
    asked = parser.parse_args(words)
    if not (asked.checkout / CLIENT).is_file():
        print(f"{asked.checkout}: no source tree of Neotoma (it has no {CLIENT})", file=sys.stderr)
        return 2
    if asked.record:
        READ.write_bytes(document(record(asked.checkout, asked.record)))
        return 0
    lines = list(new_in(asked.checkout, json.loads(READ.read_text())))
    print("\n".join(lines) or "nothing is new")
    return 1 if lines else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
