"""Printed commands: quoted, absolute, and with the vault where it is not the usual one."""

import shlex
from pathlib import Path

import pytest

from neotoma_core.ops.commands import command
from neotoma_core.ops.find import check_status
from neotoma_core.ops.progress import Silent
from neotoma_core.ops.search import SearchRequest
from neotoma_core.settings import default_vault
from tests.ops.backing_up import fill, small_vault


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
    status = check_status(world.target, where, world.vault, world.now, Silent())
    for said in (report.restore, report.accept, report.erase_again, undo, status.next):
        assert said is not None
        assert shlex.split(said)[-2:] == ["--vault", str(world.vault)]
