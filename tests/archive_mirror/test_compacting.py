"""Compacting an archive on a store: the same rows in fewer files, and old ones go when they may."""

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from neotoma_core.archive.compact import CompactRequest
from neotoma_core.archive.compact_on_store import compact_on_store, plan_on_store
from neotoma_core.archive.compaction_report import CompactionReport
from neotoma_core.errors import ArchiveDamaged, UsageError, VerificationFailed
from neotoma_core.files.atomic import Subject, observe, observe_with_subject
from neotoma_core.files.scratch import scratch_in
from neotoma_core.report.progress import Silent
from tests.archive_mirror.test_two_at_once import elsewhere, meanwhile, require_once
from tests.conftest import NOW
from tests.support.on_a_store import KILLED, TABLE, Archived
from tests.support.storing import Place

DAY = timedelta(days=1)


def compact(
    there: Archived, now: datetime | None = None, *, apply: bool = True, pin: str | None = None
) -> CompactionReport:
    """Compact; ``now``: since when the old files are old, by default by the real clock."""
    request = CompactRequest(Path(), 7 * DAY, pin)
    moment = now or datetime.fromtimestamp(time.time(), UTC)
    with there.place.open() as store, scratch_in(there.folder) as scratch:
        if not apply:
            return plan_on_store(store, request, scratch, Silent())
        return compact_on_store(store, request, scratch, moment, Silent())


def grow(there: Archived, runs: int = 3) -> Archived:
    for number in range(runs):
        if number:
            there.add(f"more-{number}")
        there.archive(now=NOW + number * DAY)
    return there


@pytest.fixture
def grown(there: Archived) -> Archived:
    """An archive of three runs, each with an observation more."""
    return grow(there)


def parts(there: Archived) -> list[str]:
    return [name for name in there.names(TABLE) if name.endswith(".parquet")]


def test_the_rows_are_the_same_and_the_old_files_stay(grown: Archived) -> None:
    old = parts(grown)
    report = compact(grown)
    assert report.archive == grown.place.url
    (told,) = [one for one in report.compacted if one.table == TABLE]
    assert (told.files_before, told.files_after) == (3, 1)
    assert set(old) < set(parts(grown))
    assert len(parts(grown)) == 4
    require_once(grown)
    assert grown.archive("one", NOW + 9 * DAY).outcome == "unchanged"
    assert grown.archive("two", NOW + 9 * DAY).outcome == "unchanged"


def test_a_plan_writes_nothing(grown: Archived) -> None:
    before = grown.names()
    assert compact(grown, apply=False).outcome == "planned"
    assert grown.names() == before


def test_old_files_go_once_their_retention_is_over(grown: Archived) -> None:
    old = parts(grown)
    compact(grown, NOW)  # long ago, by the real clock
    assert len(parts(grown)) == 1
    assert not set(old) & set(parts(grown))
    require_once(grown)
    assert grown.archive("one", NOW + 9 * DAY).outcome == "unchanged"


def test_a_compaction_that_an_append_overtakes_begins_again(grown: Archived) -> None:
    grown.add("last")
    with observe(meanwhile("files_published", lambda: elsewhere(grown))):
        compact(grown, NOW)
    assert len(parts(grown)) == 1
    require_once(grown)


def test_an_append_that_a_compaction_overtakes_decides_again(grown: Archived) -> None:
    grown.add("last")
    with observe(meanwhile("files_published", lambda: compact(grown))):
        assert grown.archive("one", NOW + 9 * DAY).appended == 1
    require_once(grown)


def test_rows_that_changed_on_the_way_are_not_published(grown: Archived) -> None:
    before = grown.names()

    def harm(step: str, subject: Subject) -> None:
        if step == "group_written":
            assert isinstance(subject, Path)
            content = bytearray(subject.read_bytes())
            content[len(content) // 3] ^= 0xFF
            subject.write_bytes(bytes(content))

    with observe_with_subject(harm), pytest.raises(VerificationFailed) as raised:
        compact(grown)
    assert grown.place.url in str(raised.value)
    assert grown.names() == before
    require_once(grown)


def test_what_is_left_of_a_damaged_archive_is_not_compacted(grown: Archived) -> None:
    grown.remove(parts(grown)[0])
    before = grown.names()
    with pytest.raises(ArchiveDamaged):
        compact(grown, NOW)
    assert grown.names() == before


def test_pins_are_for_folders(grown: Archived) -> None:
    with pytest.raises(UsageError, match="--pin and --unpin are for an archive in a folder"):
        compact(grown, pin="before")


@pytest.mark.parametrize(("age", "left_over"), [(6 * DAY, 1), (8 * DAY, 0)], ids=str)
def test_what_a_killed_run_left_goes_when_no_run_can_be_at_it(
    age: timedelta, left_over: int, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    store.mkdir()
    there = Archived(Place(store.as_uri()), tmp_path)
    there.make()
    there.archive()
    there.add("more")
    kept = set(parts(there))
    assert there.kill_at("files_published") == KILLED
    (left,) = set(parts(there)) - kept
    then = time.time() - age.total_seconds()
    os.utime(store / left, (then, then))
    there.archive("two", NOW + DAY)
    compact(there)
    assert (store / left).exists() == bool(left_over)
    assert len(there.verify().findings) == left_over
    assert there.verify().outcome == "verified"
