"""The cases of the conformance corpus: a database, the rules, and what the real Neotoma made of it.

A release with other rules gets a folder of its own in ``data/fixtures`` and a line here.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq
import zstandard

from neotoma_core.reduce.exact.rule_sets import R22_MERGED, R23, R26, RuleSet
from tests.conftest import FIXTURES

_KEYS: Final = {"entity_snapshots": "entity_id", "relationship_snapshots": "relationship_key"}

_CLOCK: Final = {"relationship_snapshots": ("computed_at",)}


@dataclass(frozen=True)
class Case:
    """One database reduced by one rule set; ``input``: whose, where it is not its own."""

    name: str
    rules: RuleSet
    input: str = ""

    def __str__(self) -> str:
        return self.name

    def unpack(self, path: Path) -> Path:
        """Write the database to ``path``."""
        packed = FIXTURES / f"conformance_{self.input or self.name}" / "input.db.zst"
        path.write_bytes(zstandard.ZstdDecompressor().stream_reader(packed.read_bytes()).read())
        return path

    def file(self, table: str) -> Path:
        """Return the file of what must come out of a derived table."""
        return FIXTURES / f"conformance_{self.name}" / f"expected_{table}.parquet"

    def read_expected(self, table: str) -> dict[str, dict[str, Any]]:
        """Return what must come out of a derived table, by key, without the time of day."""
        expected = pq.read_table(self.file(table))
        kept = [name for name in expected.column_names if name not in _CLOCK.get(table, ())]
        return {row[_KEYS[table]]: row for row in expected.select(kept).to_pylist()}

    @property
    def failing(self) -> set[str] | None:
        """The entities on whom the real program fails; None where that is not recorded."""
        notes = FIXTURES / f"conformance_{self.name}" / "oracle_notes.json"
        return set(json.loads(notes.read_text())["errors"]) if notes.exists() else None


CASES: Final = (
    Case("a", R22_MERGED),
    Case("b", R22_MERGED),
    Case("c", R26),
    Case("c_r23", R23, input="c"),
)
