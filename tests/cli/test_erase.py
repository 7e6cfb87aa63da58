"""``midden erase`` as a user runs it."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Midden
from tests.support.databases import count, entity, make_database, observation


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return make_database(
        tmp_path / "data" / "neotoma.db",
        {
            "entities": [entity("e1"), entity("e2")],
            "observations": [observation("a", "e1"), observation("b", "e2")],
        },
    )


def test_an_entity_is_erased_and_no_backup_brings_it_back(
    target: Path, midden: Midden, tmp_path: Path
) -> None:
    backup = tmp_path / "backup.db"
    backup.write_bytes(target.read_bytes())
    done = midden("erase", "--target", target, "--entity", "e1", "--yes")
    assert (done.returncode, done.stderr) == (0, "")
    assert "no undo    what is erased cannot be brought back" in done.stdout
    assert "erased     2 rows" in done.stdout
    assert count(target, "entities") == count(target, "observations") == 1
    recovered = midden("recover", "--target", target, "--backup", backup, "--yes")
    assert recovered.returncode == 0
    assert "erased" in recovered.stdout
    assert count(target, "entities") == count(target, "observations") == 1


def test_an_undo_of_what_was_before_leaves_out_what_is_erased(target: Path, midden: Midden) -> None:
    before = midden("rebuild", "--target", target, "--yes")
    (undo,) = [line for line in before.stdout.splitlines() if line.startswith("undo")]
    midden("erase", "--target", target, "--observation", "a", "--yes")
    undone = midden(*undo.split()[2:], "--yes")
    assert undone.returncode == 0
    assert "were left out" in undone.stdout
    assert count(target, "observations") == 1


def test_json_and_reports_have_numbers_and_no_ids(
    target: Path, midden: Midden, tmp_path: Path
) -> None:
    midden("rebuild", "--target", target, "--yes", "--vault", tmp_path / "elsewhere")
    done = midden("erase", "--target", target, "--entity", "e1", "--json", "--yes")
    report = json.loads(done.stdout)
    assert (report["outcome"], report["rows"], report["undo"]) == ("erased", 3, None)
    assert '"e1"' not in Path(report["report"]).read_text()


def test_a_dry_run_changes_neither_target_nor_ledger(
    target: Path, midden: Midden, tmp_path: Path
) -> None:
    before = target.read_bytes()
    done = midden("erase", "--target", target, "--entity", "e1", "--user", "nobody", "-n")
    assert done.returncode == 2
    done = midden("erase", "--target", target, "--entity", "e1", "-n")
    assert done.returncode == 0
    assert "were left alone" in done.stdout
    assert target.read_bytes() == before
    assert not (tmp_path / "vault" / "erasures.jsonl").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--yes",), "nothing to erase was given"),
        (("--entity", "e9", "--yes"), "no entity e9"),
        (("--observation", "e1", "--yes"), "no observation e1"),
        (("--user", "e1", "--yes"), "no user e1"),
        (("--entity", "", "--yes"), "an empty value"),
        (("--entity", "e1"), "standard input is not a terminal"),
    ],
)
def test_wrong_words_are_named(
    words: tuple[str, ...], message: str, target: Path, midden: Midden
) -> None:
    before = target.read_bytes()
    done = midden("erase", "--target", target, *words)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert target.read_bytes() == before


def test_a_target_that_is_not_there_is_named(tmp_path: Path, midden: Midden) -> None:
    done = midden("erase", "--target", tmp_path / "none.db", "--entity", "e1", "--yes")
    assert done.returncode == 11
    assert "there is no such file" in done.stderr


def test_a_damaged_ledger_has_its_own_exit_code(
    target: Path, midden: Midden, tmp_path: Path
) -> None:
    midden("erase", "--target", target, "--entity", "e1", "--yes")
    (tmp_path / "vault" / "erasures.jsonl").unlink()
    done = midden("rebuild", "--target", target, "--yes")
    assert done.returncode == 22
    assert "the ledger is missing" in done.stderr
