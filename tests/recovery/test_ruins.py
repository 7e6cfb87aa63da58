"""Targets in any state: recovered into a new file, and back again by the undo."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from neotoma_core.erasure.erase import erase
from neotoma_core.erasure.request import EraseRequest, erase_run
from neotoma_core.errors import TargetForeign, TargetLocked, UsageError
from neotoma_core.report.progress import Silent
from neotoma_core.salvage.condition import condition_of, mend_copy
from tests.conftest import NOW, Recover
from tests.recovery.test_inputs import facts_of
from tests.support.backing_up import PERMISSIVE
from tests.support.databases import make_database, read_all
from tests.support.holding import hold
from tests.support.proven import observe, owner
from tests.support.restoring import restore_evidence
from tests.support.ruins import FOREIGN, PAGE, SPOILT

ROWS = 120
INTERIOR_INDEX = 2
IN_BACKUP = 80
AS_IT_IS = "its tables are whole"
WHOLE = ("no entities", "rows not in an index", "page of an index zeroed")
"""Of these every observation can be read, and so must be there again."""


def pages_of_indexes(path: Path) -> list[int]:
    """Return the roots of the indexes of observations, those of its keys too, and a page below."""
    with closing(sqlite3.connect(path)) as connection:
        listed = connection.execute(
            "SELECT rootpage FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'observations'"
        ).fetchall()
    roots = [int(root) for (root,) in listed]
    content = path.read_bytes()
    starts = [(root - 1) * PAGE for root in roots]
    below = [content[s + 8 : s + 12] for s in starts if content[s] == INTERIOR_INDEX]
    assert below
    return [*roots, *(int.from_bytes(rightmost, "big") for rightmost in below)]


@pytest.fixture
def target(tmp_path: Path) -> Path:
    rows = {"observations": [observe(n) for n in range(ROWS)], "entities": [owner()]}
    return make_database(tmp_path / "data" / "target.db", rows)


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    rows = {"observations": [observe(n) for n in range(IN_BACKUP)], "entities": [owner()]}
    return make_database(tmp_path / "backup.db", rows)


@pytest.mark.parametrize("state", SPOILT)
def test_a_target_in_any_state_is_recovered_and_comes_back_as_it_was(
    state: str, target: Path, backup: Path, tmp_path: Path, run_recover: Recover
) -> None:
    before = set(read_all(target)["observations"])
    offered = set(read_all(backup)["observations"])
    SPOILT[state](target)
    ruin = {path.name: path.read_bytes() for path in target.parent.iterdir()}
    report = run_recover(target, backup)
    assert report.outcome == "published"
    assert report.ruin is not None
    with closing(sqlite3.connect(target)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    found = set(read_all(target)["observations"])
    assert offered <= found <= before
    assert state not in WHOLE or (len(found), report.ruin.salvaged) == (ROWS, AS_IT_IS)
    evidence = Path(report.evidence.folder)
    undone = restore_evidence(evidence, target, tmp_path / "vault", NOW, Silent(), guard=PERMISSIVE)
    assert undone.outcome == "restored"
    assert {path.name: path.read_bytes() for path in target.parent.iterdir()} == ruin


def test_whichever_page_of_an_index_is_lost_its_rows_are_the_targets_own(
    target: Path, tmp_path: Path
) -> None:
    whole = read_all(target)
    for number, page in enumerate(pages_of_indexes(target)):
        spoilt = tmp_path / f"{number}.db"
        content = bytearray(target.read_bytes())
        content[(page - 1) * PAGE : page * PAGE] = bytes(PAGE)
        spoilt.write_bytes(content)
        found = condition_of(spoilt, tmp_path / f"condition-{number}")
        assert found is not None
        assert found.mendable
        base = mend_copy(spoilt, spoilt, tmp_path / f"mended-{number}")
        assert base is not None, page
        assert (read_all(base), spoilt.read_bytes()) == (whole, bytes(content))


@pytest.mark.parametrize("state", ["half", "page of an index zeroed"])
def test_a_dry_run_leaves_it_and_a_second_run_finds_it_sound(
    state: str, target: Path, backup: Path, run_recover: Recover
) -> None:
    SPOILT[state](target)
    before = facts_of(target.parent)
    planned = run_recover(target, backup, dry_run=True)
    assert planned.ruin is not None
    assert facts_of(target.parent) == before
    assert run_recover(target, backup).writes == planned.writes
    again = run_recover(target, backup)
    assert (again.outcome, again.ruin) == ("unchanged", None)


@pytest.mark.parametrize("state", FOREIGN)
def test_what_may_be_somebody_elses_is_left_alone(
    state: str, target: Path, backup: Path, run_recover: Recover
) -> None:
    FOREIGN[state](target)
    before = facts_of(target.parent)
    with pytest.raises(TargetForeign, match="mv -n"):
        run_recover(target, backup)
    assert facts_of(target.parent) == before


def test_a_file_that_is_not_called_like_a_database_is_left_alone(
    backup: Path, tmp_path: Path, run_recover: Recover
) -> None:
    target = tmp_path / "thesis.txt"
    target.write_text("three years of work\n")
    with pytest.raises(TargetForeign, match="not named like one"):
        run_recover(target, backup)
    assert target.read_text() == "three years of work\n"


def test_a_ruin_that_somebody_uses_is_not_replaced(
    target: Path, backup: Path, run_recover: Recover
) -> None:
    SPOILT["rows not in an index"](target)
    before = target.read_bytes()
    with hold(target), pytest.raises(TargetLocked):
        run_recover(target, backup)
    assert target.read_bytes() == before


@pytest.mark.parametrize("later", [timedelta(0), timedelta(days=1)])
@pytest.mark.parametrize("name", ["as it was", "renamed"])
def test_a_ruin_from_before_an_erasure_does_not_come_back(  # noqa: PLR0917 - fixtures
    later: timedelta,
    name: str,
    target: Path,
    backup: Path,
    tmp_path: Path,
    run_recover: Recover,
) -> None:
    """A run is called after its second: what was erased within it may have been erased after it."""
    SPOILT["rows not in an index"](target)
    evidence = Path(run_recover(target, backup).evidence.folder)
    request = EraseRequest(target, tmp_path / "vault", observations=(str(observe(0)["id"]),))
    with erase_run(request, NOW + later) as run:
        assert erase(run, lambda _: True, Silent(), PERMISSIVE).outcome == "erased"
    if name == "renamed":
        evidence = evidence.rename(evidence.with_name("z of then"))
    there = facts_of(target.parent)
    with pytest.raises(UsageError, match="from before an erasure"):
        restore_evidence(
            evidence, target, tmp_path / "vault", NOW + later, Silent(), guard=PERMISSIVE
        )
    assert facts_of(target.parent) == there
