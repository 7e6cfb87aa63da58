"""The page of each run says its verdict first, and what to run; each is written for real once."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from neotoma_core.archive.page import archive_page
from neotoma_core.backup.page.page import backup_page, verify_page
from neotoma_core.backup.request import BackupRequest
from neotoma_core.backup.take import back_up
from neotoma_core.backup.verify import VerifyRequest, verify_backups
from neotoma_core.erasure.page.page import erasure_page
from neotoma_core.export.page import export_page
from neotoma_core.push.page import push_page
from neotoma_core.rebuild.page.page import rebuild_page
from neotoma_core.report.progress import Silent
from neotoma_core.vault.last_report import keep_last
from tests.conftest import NOW
from tests.support import shown
from tests.support.databases import entity, make_database, observation

SAYS: dict[str, tuple[Callable[[], bytes], tuple[str, ...]]] = {
    "rebuild": (
        lambda: rebuild_page(shown.REBUILD, "midden rebuild --target x"),
        ("2 snapshots differ from what the log says.", "midden rebuild --target x"),
    ),
    "backup": (
        lambda: backup_page(shown.BACKUP),
        ("but 40% of what earlier backups have is missing.", "midden backups --accept 1"),
    ),
    "no drill": (
        lambda: backup_page(replace(shown.BACKUP, drill=None, alarms=(), frozen=False)),
        ("not verified yet.", "midden verify 1"),
    ),
    "verify": (
        lambda: verify_page(shown.VERIFIED, Path("/vault")),
        ("0 of 1 backup proven by restoring them; 1 failed.", "1 backup could not be reached"),
    ),
    "erase": (
        lambda: erasure_page(shown.ERASURE),
        ("12 rows and 1 raw file are gone from", "1 other place still held it", "midden backup"),
    ),
    "archive": (
        lambda: archive_page(shown.ARCHIVED),
        ("46 versions of rows of", "2 rows are gone"),
    ),
    "export": (lambda: export_page(shown.EXPORT), ("50 rows in 1 file were exported.",)),
    "push": (lambda: push_page(shown.PUSH), ("as it is now was not pushed to", "held back")),
}


@pytest.mark.parametrize("name", SAYS)
def test_a_page_says_its_verdict_and_what_to_run(name: str) -> None:
    make, said = SAYS[name]
    page = make().decode()
    assert [text for text in said if text not in page] == []


def test_a_backup_and_its_drill_leave_the_last_page_of_each(tmp_path: Path) -> None:
    rows = {"entities": [entity("e1")], "observations": [observation("o1", "e1")]}
    target = make_database(tmp_path / "neotoma.db", rows)
    vault = tmp_path / "vault"
    taken = back_up(BackupRequest(target=target, vault=vault), NOW, Silent())
    drilled = verify_backups(VerifyRequest(target=target, vault=vault), NOW, Silent())
    for kind, report in (("backup", taken), ("verify", drilled)):
        page = vault / "reports" / f"last-{kind}" / "report.html"
        assert report.page == str(page)
        assert page.stat().st_mode & 0o777 == 0o600
        assert "proven" in page.read_text()
        assert json.loads(page.with_name("report.json").read_text())["outcome"] == report.outcome


def test_what_cannot_be_kept_changes_nothing(tmp_path: Path) -> None:
    assert keep_last(tmp_path / "no vault", "push", shown.PUSH, lambda: b"") is None
    assert not (tmp_path / "no vault").exists()
    (tmp_path / "reports").write_text("a file in its way")
    assert keep_last(tmp_path, "push", shown.PUSH, lambda: b"") is None
