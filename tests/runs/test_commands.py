"""Printed commands: quoted, absolute, and with the vault where it is not the usual one."""

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from neotoma_core.backup.request import choose_backup
from neotoma_core.errors import (
    UNDO_ASKS,
    BackupNotIntact,
    ErasureUnfinished,
    OtherDatabase,
    UsageError,
    begin_record,
    record_commit,
    what_is_done,
)
from neotoma_core.find.search import SearchRequest
from neotoma_core.find.status import check_status
from neotoma_core.ledger.log import finding_of_erased
from neotoma_core.recovery.stale_before import nothing_stale
from neotoma_core.report.layout import undo_lines
from neotoma_core.report.progress import Silent
from neotoma_core.restore.from_archive import RestoreArchiveRequest, restore_archive
from neotoma_core.restore.report import ArchiveRestoreReport, text_before
from neotoma_core.runs.begin import Whereabouts
from neotoma_core.runs.commands import command
from neotoma_core.settings.environment import default_vault
from neotoma_core.vault.backups import Listing
from tests.support.archiving import archive
from tests.support.backing_up import fill, small_vault


def test_a_command_is_absolute_quoted_and_names_the_vault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = shlex.split(
        command(
            *("restore", Path("my evidence")),
            target=Path("it's.db"),
            vault=Path("a vault"),
            then=("--search", Path("here $HOME")),
        )
    )
    assert words == [
        *("midden", "restore", f"{tmp_path}/my evidence", "--target", f"{tmp_path}/it's.db"),
        *("--search", f"{tmp_path}/here $HOME", "--vault", f"{tmp_path}/a vault"),
    ]


def test_the_vault_a_database_has_anyway_is_not_named(tmp_path: Path) -> None:
    target = tmp_path / "neotoma.db"
    assert "--vault" not in command("backup", target=target, vault=default_vault(target))


def test_every_command_that_a_run_prints_names_the_vault_it_was_given(tmp_path: Path) -> None:
    world = small_vault(tmp_path / "with blanks")
    report = world.back_up(drill=False)
    fill(world.target, 2)
    undo = world.restore("1").undo
    world.target.unlink()
    where = SearchRequest((world.target.parent,))
    status = check_status(Whereabouts(world.target, world.vault), where, world.now, Silent())
    for said in (report.restore, report.accept, report.erase_again, undo, status.next):
        assert said is not None
        assert shlex.split(said)[-2:] == ["--vault", str(world.vault)]


def test_errors_and_findings_name_whole_commands_with_the_vault(tmp_path: Path) -> None:
    target, vault = tmp_path / "with blanks" / "neotoma.db", tmp_path / "vault"
    begin_record(target, vault)
    listing = Listing((), ())
    with pytest.raises(UsageError) as unknown:
        choose_backup(listing, "no such backup")
    stale = replace(nothing_stale(compared=False), left=2)
    said = [
        *(str(unknown.value), str(BackupNotIntact("b", "torn"))),
        *(str(ErasureUnfinished(target)), str(OtherDatabase(vault, target))),
        *(finding.detail for finding in stale.findings(str(target))),
        finding_of_erased("observations", 1).detail,
    ]
    for message in said:
        assert f"--target '{target}'" in message
        assert f"--vault {vault}" in message
        assert "`" not in message


def test_an_undo_says_that_it_asks_and_stands_alone_in_the_last_line() -> None:
    asks, undo = undo_lines("midden restore E --target T")
    assert undo == "undo       midden restore E --target T"
    assert ("asks first" in asks, "--yes" in asks) == (True, True)


def test_a_message_after_the_commit_says_that_the_undo_asks(tmp_path: Path) -> None:
    target = tmp_path / "neotoma.db"
    record = begin_record(target)
    record.undo = "midden restore E"
    record_commit(target)
    assert what_is_done().endswith(f"undo: midden restore E; {UNDO_ASKS}")
    begin_record()


def test_a_dry_run_from_an_archive_says_what_becomes_of_each_table(tmp_path: Path) -> None:
    world = small_vault(tmp_path, 5)
    archive(world.target, tmp_path / "archive")
    fill(world.target, 2)
    request = RestoreArchiveRequest(tmp_path / "archive", world.target, world.vault)
    shown: list[ArchiveRestoreReport] = []

    def declines(report: ArchiveRestoreReport) -> bool:
        shown.append(report)
        return False

    report = restore_archive(request, world.now, declines, Silent())
    becomes = {d.table: (d.inserted, d.removed, d.changed) for d in report.differences}
    assert (becomes["observations"], becomes["entities"]) == ((3, 0, 0), (3, 0, 0))
    assert any(
        line.split() == ["observations", "3", "0", "0"] for line in text_before(*shown).splitlines()
    )
