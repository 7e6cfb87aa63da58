"""`midden init`: one command from a database to its first proven backup and its configuration."""

import io
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from neotoma_core.backup.protection import protection_of
from neotoma_core.cli.app import app
from neotoma_core.cli.terminal.asking import DECLINED
from neotoma_core.errors import UsageError, VaultAbsent
from neotoma_core.remotes.known import read_remotes
from neotoma_core.settings.configuration import read_configuration
from neotoma_core.settings.environment import vault_of_its_own
from neotoma_core.vault.noted import keep_notes_in
from tests.conftest import NOW
from tests.support.databases import entity, make_database, observation

Run = Callable[..., int]


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home folder with Neotoma's database, and nothing else."""
    for name in ("CONFIG", "STATE", "DATA"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    for name in ("MIDDEN_VAULT", "MIDDEN_CONFIG", "NEOTOMA_ENV", "NEOTOMA_SQLITE_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NEOTOMA_DATA_DIR", str(tmp_path / "neotoma"))
    tables = {"entities": [entity("e1")], "observations": [observation("o1")]}
    make_database(tmp_path / "neotoma" / "neotoma.prod.db", tables)
    yield tmp_path
    keep_notes_in(None)


@pytest.fixture
def run() -> Run:
    """Run midden in this process; return its exit code, and let its errors through."""

    def midden(*words: str | Path) -> int:
        return app([*map(str, words)], standalone_mode=False) or 0

    return midden


def typing(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal("".join(f"{line}\n" for line in lines)))


def test_one_command_protects_the_database_that_neotoma_uses(
    home: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    target = home / "neotoma" / "neotoma.prod.db"
    assert run("init", "--yes", "--no-schedule", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["target"], report["good"], report["written"]) == (str(target), 1, True)
    vault = vault_of_its_own(target)
    assert protection_of(vault, NOW).good == 1
    (known,) = read_configuration(home / "config" / "midden" / "midden.toml").databases
    assert (known.name, known.path, known.vault) == ("main", target, None)
    assert run("init", "--yes", "--no-schedule") == 0
    assert protection_of(vault, NOW).backups == 1
    assert len(read_configuration(home / "config" / "midden" / "midden.toml").databases) == 1


def test_each_step_is_asked(
    home: Path, run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typing(monkeypatch, "n")
    assert run("init") == DECLINED
    assert not (home / "data").exists()
    typing(monkeypatch, "y", "", "n")
    assert run("init", "--no-schedule", "--vault", home / "kept") == 0
    said = capsys.readouterr()
    assert f'vault = "{home}/kept"' in said.out
    assert said.err.count("[y/N]") == 3
    assert protection_of(home / "kept", NOW).good == 1
    assert not (home / "config").exists()


def test_a_remote_is_added_and_its_identity_shown(
    home: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "nas").mkdir()
    words = (
        "init",
        "--yes",
        "--no-schedule",
        "--vault",
        home / "kept",
        "--remote",
        f"file://{home}/nas",
    )
    assert run(*words) == 0
    assert "AGE-SECRET-KEY-" in capsys.readouterr().out
    (known,) = read_remotes(home / "kept")
    assert known.name == "offsite"
    assert run(*words) == 0
    assert len(read_remotes(home / "kept")) == 1


def test_a_vault_whose_disk_is_gone_is_named_and_only_made_again_on_request(
    home: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    target, vault = home / "neotoma" / "neotoma.prod.db", home / "disk" / "kept"
    named = ("--target", target, "--vault", vault)
    run("init", "--yes", "--no-schedule", *named)
    shutil.rmtree(home / "disk")
    for command in ("backup", "init", "verify"):
        with pytest.raises(VaultAbsent):
            run(command, *named, *(("--yes",) if command == "init" else ()))
        assert not (home / "disk").exists()
    capsys.readouterr()
    assert run("status", *named, "--json") == 6
    status = json.loads(capsys.readouterr().out)
    assert "connect its disk" in status["vault_absent"]
    assert status["next"] is None
    run("status", *named)
    assert f"vault      {vault}: it was made here on" in capsys.readouterr().out
    assert run("init", "--yes", "--no-schedule", "--new-vault", *named) == 0
    assert protection_of(vault, NOW).good == 1


def test_without_a_database_it_says_where_it_looked(home: Path, run: Run) -> None:
    (home / "neotoma" / "neotoma.prod.db").unlink()
    with pytest.raises(UsageError, match=r"neotoma\.prod\.db: that is where Neotoma's settings"):
        run("init", "--yes", "--no-schedule")
    tables = {"entities": [entity("e1")], "observations": [observation("o1")]}
    make_database(home / "neotoma" / "neotoma.db", tables)
    assert run("init", "--yes", "--no-schedule") == 0
