"""Each fault's database on every way: rebuild, recover, drill, archive, and a second time."""

from pathlib import Path

import pytest

from neotoma_core.report.progress import Silent
from neotoma_core.restore.from_archive import RestoreArchiveRequest, restore_archive
from tests.conftest import NOW, Recover
from tests.faults.cases import CASES, Case, unpack, wrong_in
from tests.support.archiving import archive, log_of
from tests.support.backing_up import PERMISSIVE, Vault
from tests.support.rebuilding import check, rebuild

each = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@pytest.fixture
def database(case: Case, tmp_path: Path) -> Path:
    return unpack(case.name, tmp_path / "data" / "neotoma.prod.db")


@each
def test_a_rebuild_comes_out_as_the_real_program_says(case: Case, database: Path) -> None:
    log = log_of(database)
    rebuild(database)
    assert wrong_in(database, case.folder_expected(recovered=False)) == []
    assert log_of(database) == log
    assert not check(database).drifted
    assert rebuild(database).outcome == "unchanged"


@pytest.mark.parametrize("case", [c for c in CASES if c.right], ids=lambda c: c.name)
def test_a_check_of_what_is_right_is_silent(database: Path) -> None:
    assert check(database).drifted == ()


@each
def test_a_recovery_into_nothing_loses_no_row(
    case: Case, database: Path, tmp_path: Path, run_recover: Recover
) -> None:
    target = tmp_path / "empty.prod.db"
    report = run_recover(target, database)
    assert report.set_aside == 0
    assert wrong_in(target, case.folder_expected(recovered=True)) == []
    assert log_of(target) == log_of(database)


@each
def test_a_backup_of_it_passes_its_drill(case: Case, database: Path, tmp_path: Path) -> None:
    world = Vault(tmp_path)
    rebuild(database)
    drill = world.back_up().drill
    assert drill is not None
    assert (drill.outcome, drill.level, drill.drifted, drill.reasons) == (
        "pass",
        "recomputed",
        0,
        (),
    )
    world.restore("1", tmp_path / "restored.prod.db")
    assert wrong_in(tmp_path / "restored.prod.db", case.folder_expected(recovered=False)) == []


@each
def test_an_archive_of_it_gives_it_back(case: Case, database: Path, tmp_path: Path) -> None:
    archive(database, tmp_path / "archive")
    assert archive(database, tmp_path / "archive").outcome == "unchanged"
    target = tmp_path / "restored.prod.db"
    request = RestoreArchiveRequest(
        tmp_path / "archive", target, tmp_path / "vault", guard=PERMISSIVE
    )
    restore_archive(request, NOW, lambda _: True, Silent())
    assert log_of(target) == log_of(database)
    assert wrong_in(target, case.folder_expected(recovered=True)) == []
