"""The mirror of an archive: what the store has, whatever was in its folder before."""

from datetime import timedelta
from pathlib import Path

import pytest
from deltalake import DeltaTable

from neotoma_core.archive_mirror.mirror import mirror_in
from neotoma_core.errors import RemoteDamaged
from neotoma_core.files.atomic import observe
from tests.archive_mirror.test_two_at_once import require_once
from tests.conftest import NOW
from tests.support.on_a_store import TABLE, Archived

DAY = timedelta(days=1)


def mirror_of(there: Archived) -> Path:
    with there.place.open() as store:
        return mirror_in(there.folder / "one", store).folder


def test_what_was_done_to_its_files_does_not_count(there: Archived) -> None:
    there.archive()
    folder = mirror_of(there)
    for path in [*folder.rglob("*.parquet"), *folder.rglob("*.json")]:
        path.write_bytes(b"not what it was")
    there.add("o3")
    assert there.archive(now=NOW + DAY).appended == 1
    require_once(there)


def test_a_commit_that_is_only_in_the_mirror_does_not_count(there: Archived) -> None:
    there.archive()
    there.add("o3")
    there.kill_at("table_committed")
    log = mirror_of(there) / TABLE / "_delta_log"
    assert (log / f"{1:020}.json").is_file()
    assert there.archive(now=NOW + DAY).appended == 1
    require_once(there)


def test_an_archive_that_was_removed_is_begun_anew(there: Archived) -> None:
    there.archive()
    there.remove(*there.names())
    assert there.archive(now=NOW + DAY).appended == 4
    require_once(there)


def test_a_checkpoint_is_published_and_of_use_to_others(there: Archived) -> None:
    there.archive()
    there.add("o3")

    def checkpoint(step: str) -> None:
        if step == "table_committed":
            DeltaTable(str(mirror_of(there) / TABLE)).create_checkpoint()

    with observe(checkpoint):
        there.archive(now=NOW + DAY)
    assert f"{TABLE}/_delta_log/{1:020}.checkpoint.parquet" in there.names()
    there.add("o4")
    for machine in ("two", "one"):
        there.archive(machine, NOW + 2 * DAY)
    require_once(there)
    there.remove(f"{TABLE}/_delta_log/{0:020}.json")  # the checkpoint has what it said
    assert there.verify().outcome == "verified"
    there.add("o5")
    assert there.archive("two", NOW + 3 * DAY).appended == 1
    require_once(there)


def test_an_entry_of_a_log_larger_than_any_is_not_read(
    there: Archived, monkeypatch: pytest.MonkeyPatch
) -> None:
    there.archive()
    monkeypatch.setattr("neotoma_core.archive_mirror.mirror._MOST_SAID", 1000)
    with pytest.raises(RemoteDamaged, match="is larger than any of its kind"):
        there.verify()
