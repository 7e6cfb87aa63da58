"""Evidence goes once it is old and other copies have its rows; whatever is uncertain stays."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest

from neotoma_core.backup.prune import prune_backups
from neotoma_core.backup.report import PruneReport
from neotoma_core.backup.retention import DEFAULT
from neotoma_core.kept_evidence.retention import EvidenceFacts, reasons_to_keep
from neotoma_core.ledger.file import read_ledger, record_erasure
from neotoma_core.recovery.recover import recover
from neotoma_core.recovery.run.named import recovery_run
from neotoma_core.recovery.run.request import RecoverRequest
from neotoma_core.report.progress import Silent
from neotoma_core.vault.folder import UNFINISHED
from tests.conftest import NOW
from tests.support.backing_up import Vault, copy_vault
from tests.support.databases import Row, entity, make_database, observation

LATER = NOW + timedelta(days=40)


def rows(first: int, last: int, **cells: object) -> dict[str, list[Row]]:
    numbers = range(first, last)
    return {
        "entities": [entity(f"e{n}") for n in numbers],
        "observations": [observation(f"o{n}", f"e{n}", **cells) for n in numbers],
    }


def recover_from(world: Vault, backup: Path, hours: int) -> None:
    request = RecoverRequest(world.target, (backup,), world.vault)
    with recovery_run(request, NOW + timedelta(hours=hours)) as run:
        assert recover(run, lambda _: True, Silent()).outcome == "published"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    """Two recoveries, each of a backup with rows that the target lacked, and a backup of it all.

    The evidence of both holds nothing that the target and the backup lack.
    """
    world = Vault(tmp_path_factory.mktemp("template"))
    make_database(world.target, rows(0, 4))
    for number, last in enumerate((8, 12), 1):
        backup = make_database(world.folder / f"found-{number}.db", rows(last - 6, last))
        recover_from(world, backup, number)
    world.back_up()
    return world


@pytest.fixture
def world(template: Vault, tmp_path: Path) -> Vault:
    return copy_vault(template, tmp_path)


def prune(world: Vault, *, apply: bool = True, days: int = 30) -> PruneReport:
    within = timedelta(days=days)
    return prune_backups(
        world.vault, world.target, DEFAULT, LATER, lambda _: apply, evidence_within=within
    )


def evidence(world: Vault) -> list[Path]:
    return sorted((world.vault / "evidence").iterdir())


def reasons(report: PruneReport) -> str:
    return "; ".join(report.evidence[0].reasons)


def test_old_evidence_goes_where_other_copies_have_its_rows(world: Vault) -> None:
    first, last = evidence(world)
    planned = prune(world, apply=False)
    assert (planned.outcome, planned.evidence_removed) == ("planned", 1)
    assert evidence(world) == [first, last]
    report = prune(world)
    assert (report.outcome, report.removed, report.evidence_removed) == ("pruned", 0, 1)
    assert report.evidence_bytes > 0
    assert evidence(world) == [last]
    assert "last run" in report.evidence[1].reasons[0]
    assert prune(world).outcome == "unchanged"
    assert list(world.vault.glob("work/*")) == []


def test_young_evidence_stays(world: Vault) -> None:
    assert prune(world, days=60).evidence_removed == 0
    assert "younger than 60 d" in reasons(prune(world, days=60))


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def reconcile(folder: Path) -> None:
    """Let the manifest of evidence say what its files are now, as if they had been copied so."""
    manifest: Any = orjson.loads((folder / "manifest.json").read_bytes())
    for database in manifest["databases"]:
        for file in database["files"]:
            path = folder / database["label"] / file["name"]
            file["sha256"] = sha256(path.read_bytes()).hexdigest()
    (folder / "manifest.json").write_bytes(orjson.dumps(manifest))


UNIQUE = {
    "a row": "INSERT INTO observations (id, entity_id, entity_type, schema_version, observed_at, "
    "fields, created_at, user_id) SELECT 'only', entity_id, entity_type, schema_version, "
    "observed_at, fields, created_at, user_id FROM observations LIMIT 1",
    "what a row says": "UPDATE observations SET fields = '{\"title\":\"x\"}' WHERE id = 'o1'",
    "another column": "ALTER TABLE observations ADD COLUMN extra TEXT DEFAULT 'x'",
    "a table": "CREATE TABLE mine AS SELECT 1 AS a, NULL AS b",
    "credentials": "INSERT INTO auth_sessions (id, user_id, access_token) VALUES ('s', 'u', 't')",
}


@pytest.mark.parametrize("what", UNIQUE)
def test_the_only_copy_of_rows_stays(what: str, world: Vault) -> None:
    first, _ = evidence(world)
    change(first / "target" / world.target.name, UNIQUE[what])
    reconcile(first)
    report = prune(world)
    assert report.evidence_removed == 0
    assert "the only copy of" in reasons(report)
    assert first.is_dir()


ELSEWHERE = {
    "when it was stored": "UPDATE observations SET created_at = '2020' WHERE id = 'o1'",
    "whose it is": "UPDATE observations SET entity_id = 'e2' WHERE id = 'o1'",
    "a snapshot": "UPDATE entity_snapshots SET snapshot = '{}', observation_count = 99",
}


@pytest.mark.parametrize("what", ELSEWHERE)
def test_what_is_the_same_row_all_the_same_keeps_nothing(what: str, world: Vault) -> None:
    first, _ = evidence(world)
    change(first / "target" / world.target.name, ELSEWHERE[what])
    reconcile(first)
    assert prune(world).evidence_removed == 1


def test_of_the_same_rows_in_two_the_newer_one_stays(world: Vault) -> None:
    first, last = evidence(world)
    for folder in (first, last):
        change(folder / "target" / world.target.name, UNIQUE["a row"])
        reconcile(folder)
    third = last.with_name("2026-12-01T00-00-00Z")
    shutil.copytree(first, third)
    shutil.rmtree(third / "backup-1")
    report = prune(world, days=0)
    assert [one.stays for one in report.evidence] == [False, True, True]


def cut(folder: Path) -> None:
    (path,) = (folder / "target").iterdir()
    path.write_bytes(path.read_bytes()[:-1] + b"?")


def damage(folder: Path) -> None:
    """Damage a page, and let the manifest agree: it was kept like that."""
    (path,) = (folder / "target").iterdir()
    content = bytearray(path.read_bytes())
    content[4096:8192] = b"\xff" * 4096
    path.write_bytes(content)
    reconcile(folder)


def stray(folder: Path) -> None:
    place = folder / "raw_files_damaged" / "aa"
    place.parent.mkdir()
    place.write_bytes(b"set aside")


DOUBTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "changed": (cut, "damaged"),
    "damaged": (damage, "damaged"),
    "a file is gone": (lambda f: next((f / "target").iterdir()).unlink(), "damaged"),
    "no manifest": (lambda f: (f / "manifest.json").unlink(), "manifest cannot be read"),
    "not a manifest": (lambda f: (f / "manifest.json").write_text("{}"), "manifest cannot be"),
    "more than it names": (stray, "does not name"),
    "unfinished": (lambda f: (f / UNFINISHED).touch(), "did not finish"),
    "undated": (lambda f: f.rename(f.with_name("0")), "its name does not say"),
}


@pytest.mark.parametrize("doubt", DOUBTS)
def test_what_cannot_be_told_stays(doubt: str, world: Vault) -> None:
    first, _ = evidence(world)
    plant, why = DOUBTS[doubt]
    plant(first)
    report = prune(world)
    assert report.evidence_removed == 0
    assert why in reasons(report)
    assert len(evidence(world)) == 2


def test_a_copy_that_cannot_be_read_vouches_for_nothing(world: Vault) -> None:
    """The target lost the rows, and the backup that has them is no longer what was stored."""
    change(world.target, "DELETE FROM observations")
    (stored,) = world.vault.glob("backups/*/database.db.zst")
    stored.write_bytes(stored.read_bytes()[:-1] + b"?")
    report = prune(world)
    assert "the only copy of" in reasons(report)


def test_nothing_goes_while_nothing_may_be_removed(world: Vault) -> None:
    for folder in (world.vault / "backups").iterdir():
        shutil.rmtree(folder)
    report = prune(world)
    assert (report.held, report.evidence_removed) == ("no backup is verified", 0)


def test_that_of_the_last_run_stays_however_old_it_is() -> None:
    old = [EvidenceFacts(f"2020-01-0{n}T00-00-00Z", NOW, unfinished=False) for n in (1, 2)]
    found = reasons_to_keep(old, within=timedelta(0), now=LATER)
    assert [bool(found[one.run]) for one in old] == [False, True]


def test_what_was_erased_keeps_no_evidence(world: Vault) -> None:
    first, _ = evidence(world)
    change(first / "target" / world.target.name, UNIQUE["a row"])
    reconcile(first)
    ledger = read_ledger(world.vault)
    record_erasure(ledger, "2026-03-12T00-00-00Z", NOW, {"observations": ["only"]})
    assert prune(world).evidence_removed == 1


def test_compared_with_fewer_copies_more_evidence_stays(world: Vault) -> None:
    change(world.target, "DELETE FROM observations")
    rule = {"evidence_within": timedelta(0)}
    report = prune_backups(
        world.vault, world.target, DEFAULT, LATER, lambda _: False, compared=1, **rule
    )
    assert "rows that the 1 copies compared lack" in reasons(report)
    report = prune_backups(
        world.vault, world.target, DEFAULT, LATER, lambda _: False, compared=2, **rule
    )
    assert report.evidence_removed == 1
