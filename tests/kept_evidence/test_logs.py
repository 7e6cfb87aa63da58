"""Evidence with the log of a database that was gone goes, too, where other copies have its rows."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest

from neotoma_core.erased.hashed import ErasedIds
from neotoma_core.kept_evidence.folders import list_evidence
from neotoma_core.kept_evidence.plan import EvidenceItem, EvidenceRule, plan_evidence
from tests.conftest import NOW
from tests.support.databases import entity, make_database, observation

ROWS = {
    "entities": [entity(f"e{n}") for n in range(40)],
    "observations": [observation(f"o{n}", f"e{n}") for n in range(40)],
}
FACTS: dict[str, Any] = {"format": 1, "run": "", "databases": [], "target_existed": False}


@dataclass(frozen=True)
class Kept:
    """A vault with old evidence of a log, newer evidence, and a copy that stays."""

    vault: Path
    staying: Path

    @property
    def left(self) -> Path:
        return next(self.vault.glob("evidence/2026-02-*/left-behind"))

    def plan(self) -> EvidenceItem:
        rule = EvidenceRule(NOW.astimezone(UTC), ErasedIds(), timedelta(days=7))
        scratch = self.vault / "work"
        found = plan_evidence(
            list_evidence(self.vault, "now"), rule, scratch, lambda: iter([self.staying])
        )
        return found[0]


def describe(folder: Path) -> None:
    """Let the manifest of evidence say which files of a database that is gone are in it."""
    files = [
        {
            "name": path.name,
            "size": path.stat().st_size,
            "mtime_ns": "1",
            "sha256": sha256(path.read_bytes()).hexdigest(),
        }
        for path in sorted((folder / "left-behind").glob("*"))
    ]
    said = {**FACTS, "run": folder.name, "target": "/gone/neotoma.db", "left_behind": files}
    (folder / "manifest.json").write_bytes(orjson.dumps(said))


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    vault = tmp_path / "vault"
    (vault / "work").mkdir(parents=True)
    for name in ("2026-02-01T00-00-00Z", "2026-03-11T00-00-00Z"):
        (vault / "evidence" / name).mkdir(parents=True)
        describe(vault / "evidence" / name)
    gone = make_database(tmp_path / "gone" / "neotoma.db", ROWS)
    left = vault / "evidence" / "2026-02-01T00-00-00Z" / "left-behind"
    left.mkdir()
    with closing(sqlite3.connect(gone, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("VACUUM")  # every page is in the log then
        (left / "neotoma.db-wal").write_bytes(gone.with_name("neotoma.db-wal").read_bytes())
    (left / "neotoma.db-shm").write_bytes(b"")
    describe(left.parent)
    return Kept(vault, make_database(tmp_path / "staying.db", ROWS))


def test_it_goes_where_a_copy_that_stays_has_its_rows(kept: Kept) -> None:
    item = kept.plan()
    assert (item.stays, item.reasons) == (False, ("all its rows are in copies that stay",))


def lack_a_row(kept: Kept) -> Kept:
    fewer = {**ROWS, "observations": ROWS["observations"][:-1]}
    return replace(kept, staying=make_database(kept.vault.parent / "fewer.db", fewer))


def change(kept: Kept) -> Kept:
    (kept.left / "neotoma.db-wal").write_bytes(b"changed")
    return kept


def keep_a_journal(kept: Kept) -> Kept:
    (kept.left / "neotoma.db-journal").write_bytes(b"pages of before")
    describe(kept.left.parent)
    return kept


def keep_what_no_one_reads(kept: Kept) -> Kept:
    (kept.left / "neotoma.db-wal").write_bytes(b"\x00" * 4096)
    describe(kept.left.parent)
    return kept


def add_a_stray(kept: Kept) -> Kept:
    (kept.left / "stray").write_bytes(b"?")
    return kept


STAYS: dict[str, tuple[Callable[[Kept], Kept], str]] = {
    "a row only it has": (lack_a_row, "the only copy of 1 rows"),
    "changed": (change, "damaged"),
    "a rollback journal": (keep_a_journal, "rollback journal"),
    "no log that can be read": (keep_what_no_one_reads, "nothing can tell"),
    "a stray": (add_a_stray, "does not name"),
}


@pytest.mark.parametrize("what", STAYS)
def test_it_stays_where_anything_is_uncertain(what: str, kept: Kept) -> None:
    plant, why = STAYS[what]
    item = plant(kept).plan()
    assert item.stays
    assert why in "; ".join(item.reasons)
