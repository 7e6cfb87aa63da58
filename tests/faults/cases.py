"""The faults' databases, unpacked, and what each must come out as."""

from dataclasses import dataclass
from pathlib import Path

import zstandard

from tests.conftest import FIXTURES
from tests.support.compared import differences

FAULTS = FIXTURES / "faults"


@dataclass(frozen=True, slots=True)
class Case:
    """One database. ``right``: whether all that is stored in it is as Neotoma computes it.

    ``recovered``: whether a recovery into nothing comes out otherwise than a rebuild, which keeps
    the user that a stored row names.
    """

    name: str
    right: bool = False
    recovered: bool = False

    def folder_expected(self, *, recovered: bool) -> Path:
        """Return the folder with what must come out of a rebuild, or of a recovery."""
        folder = FAULTS / self.name
        return folder / "recovered" if recovered and self.recovered else folder


CASES = (
    Case("fractional_priorities_api", right=True),
    Case("fractional_priorities_mixed"),
    Case("two_users_api", right=True, recovered=True),
    Case("two_users_mixed", recovered=True),
    Case("mixed_types_api", right=True),
    Case("mixed_types_mixed"),
    Case("halved_emoji", recovered=True),
    Case("plural_repair"),
    Case("stale_survivor"),
)


def unpack(name: str, to: Path, file: str = "input") -> Path:
    """Write the database of a case to a path, and return it."""
    to.parent.mkdir(parents=True, exist_ok=True)
    packed = FAULTS / name / f"{file}.prod.db.zst"
    with packed.open("rb") as compressed, to.open("wb") as plain:
        zstandard.ZstdDecompressor().copy_stream(compressed, plain)
    return to


def wrong_in(database: Path, expected: Path) -> list[str]:
    """Return what differs from the expected snapshots of both kinds, as ``key column``."""
    return [
        f"{table}: {found}"
        for table in ("entity_snapshots", "relationship_snapshots")
        for found in differences(database, table, expected / f"expected_{table}.parquet")
    ]
