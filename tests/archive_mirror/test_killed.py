"""Killed at any step, what was published is whole; the next run adds the rest."""

from datetime import timedelta

import pytest

from neotoma_core.archive_mirror import publishing
from neotoma_core.archive_tables import record, writing
from tests.archive_mirror.test_two_at_once import require_once
from tests.conftest import NOW
from tests.support.on_a_store import KILLED, Archived

DAY = timedelta(days=1)
STEPS = [(step, times) for step in publishing.STEPS for times in (1, 2, 3)]
ONCE = ("archive_begun", "archive_described")


@pytest.mark.parametrize(
    ("step", "times"), [pair for pair in STEPS if pair[1] == 1 or pair[0] not in ONCE]
)
@pytest.mark.parametrize("machine", ["one", "two"])
def test_what_a_killed_run_began_is_completed(
    machine: str, step: str, times: int, there: Archived
) -> None:
    assert there.kill_at(step, times) == KILLED
    if step == "archive_begun":  # its archive.json is missing, and the next run writes it
        assert {one.kind for one in there.verify().findings} == {"archive-harmed"}
    else:
        assert there.verify().outcome == "verified"
    there.archive(machine, NOW + DAY)
    require_once_but_for_leftovers(there)
    before = there.names()
    assert there.archive(machine, NOW + 2 * DAY).outcome == "unchanged"
    assert there.names() == before


@pytest.mark.parametrize("step", [*writing.STEPS, *record.STEPS])
def test_what_was_appended_to_the_mirror_alone_does_not_count(step: str, there: Archived) -> None:
    assert there.kill_at(step) == KILLED
    assert there.names() == []
    assert there.archive(now=NOW + DAY).appended == 4
    require_once(there)
    there.add("o3")
    assert there.kill_at(step) == KILLED
    assert there.archive(now=NOW + 2 * DAY).appended == 1
    require_once(there)


def test_a_mirror_that_was_killed_gives_way_to_what_another_machine_committed(
    there: Archived,
) -> None:
    there.archive()
    there.add("o3")
    assert there.kill_at("files_published") == KILLED  # commit 1 is in its mirror, and nowhere else
    there.add("o4")
    assert there.archive("two", NOW + DAY).appended == 2  # commit 1
    assert there.archive("one", NOW + 2 * DAY).outcome == "unchanged"
    require_once_but_for_leftovers(there)


def require_once_but_for_leftovers(there: Archived) -> None:
    """Files that no commit names may be there: the run that sent them is gone."""
    kept = [one for one in there.verify().findings if one.kind != "archive-leftover"]
    assert kept == []
    named = {
        action["add"]["path"]  # type: ignore[index]
        for name in there.names()
        if "_delta_log" in name
        for action in there.entry(int(name.rpartition("/")[2].split(".")[0]), name.split("/")[0])
        if "add" in action
    }
    unnamed = [n for n in there.names() if n.endswith("t") and n.rpartition("/")[2] not in named]
    there.remove(*(name for name in unnamed if "part-" in name))
    require_once(there)
