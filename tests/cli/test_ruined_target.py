"""What every command says of a target that cannot be used, and that what it says works pasted."""

import json
import shlex
from pathlib import Path

import pytest

from neotoma_core.cli.recovery.status import status
from neotoma_core.sqlite import copies
from tests.cli.conftest import Midden
from tests.recovery.test_inputs import facts_of
from tests.support.databases import count, make_database
from tests.support.holding import hold
from tests.support.proven import observe, owner
from tests.support.ruins import FOREIGN, SPOILT

ROWS = 60


@pytest.fixture
def target(tmp_path: Path) -> Path:
    rows = {"observations": [observe(n) for n in range(ROWS)], "entities": [owner()]}
    make_database(tmp_path / "data" / "copy.db", rows)
    return make_database(tmp_path / "data" / "t.db", rows)


WORDS: dict[str, list[str]] = {
    "backup": ["backup"],
    "rebuild": ["rebuild", "--yes"],
    "archive": ["archive"],
    "status": ["status"],
}


@pytest.mark.parametrize(
    ("state", "command"),
    [("half", "backup"), ("no byte", "rebuild"), ("text", "archive"), ("no table", "backup")],
)
def test_the_command_that_is_named_works_when_pasted(
    state: str, command: str, target: Path, midden: Midden
) -> None:
    SPOILT[state](target)
    said = midden(*WORDS[command], "--target", target)
    assert said.returncode == 11, said.stderr
    assert "leave it out" not in said.stderr
    words = shlex.split(said.stderr.partition("next: midden ")[2])
    done = midden(*words, "--yes")
    assert done.returncode == 0, done.stderr
    assert count(target, "observations") == ROWS
    assert midden("status", "--target", target, "--json").returncode == 0


@pytest.mark.parametrize("state", ["three quarters", "no byte", "no observations", "text"])
def test_a_status_names_the_state_and_what_to_do(state: str, target: Path, midden: Midden) -> None:
    SPOILT[state](target)
    report = midden("status", "--target", target, "--json")
    assert report.returncode == 6, report.stderr
    told = json.loads(report.stdout)
    assert told["drop"]["verdict"] == "ruined"
    done = midden(*shlex.split(told["next"])[1:], "--yes")
    assert done.returncode == 0, done.stderr
    assert count(target, "observations") == ROWS


def test_a_locked_database_is_not_called_wiped(
    target: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(copies, "_PATIENCE_SECONDS", 0.05)
    with hold(target, "EXCLUSIVE"):
        code = status(target, search=[target.parent], vault=tmp_path / "vault")
    said = capsys.readouterr().out
    assert (code, "wiped" in said) == (11, False)
    assert "another program keeps it locked" in said


@pytest.mark.parametrize("words", [["restore", "copy"], ["recover"], ["status"]])
def test_somebody_elses_file_is_left_alone(words: list[str], target: Path, midden: Midden) -> None:
    FOREIGN["another program's"](target)
    before = facts_of(target.parent)
    source = [str(target.with_name("copy.db"))] if words[0] == "restore" else []
    yes = [] if words[0] == "status" else ["--yes"]
    said = midden(words[0], *source, "--target", target, *yes)
    assert said.returncode == 11, said.stdout
    assert "another program's SQLite database" in said.stderr
    assert facts_of(target.parent) == before


def test_a_restore_says_first_what_could_be_salvaged(target: Path, midden: Midden) -> None:
    SPOILT["page of an index zeroed"](target)
    some = [observe(n) for n in range(ROWS // 4)]  # to lose more is guarded
    small = make_database(target.parent.parent / "small.db", {"observations": some})
    said = midden("restore", small, "--target", target, "--yes")
    assert "observations can be salvaged of it; to merge them: midden recover" in said.stderr
    assert said.returncode == 0, said.stderr


def test_a_restore_that_would_lose_what_is_salvageable_is_guarded(
    target: Path, tmp_path: Path, midden: Midden
) -> None:
    production = target.rename(target.with_name("neotoma.prod.db"))
    SPOILT["page of an index zeroed"](production)
    small = make_database(tmp_path / "small.db", {"observations": [observe(1)]})
    before = production.read_bytes()
    said = midden("restore", small, "--target", production, "--yes")
    assert (said.returncode, production.read_bytes()) == (2, before)


def test_a_file_that_is_not_there_is_said_at_once(midden: Midden) -> None:
    for words in (["nope.db"], ["--target", "nope.db"]):
        said = midden("status", *words)
        assert said.returncode == 11
        assert "there is no such file" in said.stderr


def test_a_status_sees_copies_in_the_home_folder_and_says_where_it_looked(
    tmp_path: Path, midden: Midden, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("HOME", str(home))
    rows = {"observations": [observe(n) for n in range(ROWS)], "entities": [owner()]}
    make_database(home / "old copy.db", rows)
    target = make_database(tmp_path / "elsewhere" / "data" / "t.db", {"observations": [observe(0)]})
    report = midden("status", target)
    assert report.returncode == 6
    assert str(home / "old copy.db") in report.stdout
    assert str(home) in report.stdout.partition("searched")[2]
    assert midden("recover", "--target", target, "--yes").returncode == 0
    assert count(target, "observations") == ROWS


def test_a_database_named_twice_is_an_error(target: Path, midden: Midden) -> None:
    assert midden("status", target, "--target", target).returncode == 2
    assert midden("status").returncode == 2


def test_overdue_is_said_where_it_is_an_alarm_and_only_there(target: Path, midden: Midden) -> None:
    target.with_name("copy.db").unlink()
    assert midden("rebuild", "--target", target, "--yes").returncode == 0  # which makes a vault
    said = midden("status", target)
    assert ("OVERDUE" in said.stdout, said.returncode) == (False, 0)
