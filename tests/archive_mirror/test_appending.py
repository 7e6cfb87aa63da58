"""Appending to an archive on a store: what a folder would have, from whichever machine."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from neotoma_core.archive_tables.reading import read_table
from neotoma_core.archive_tables.tables import open_archive
from neotoma_core.errors import (
    ArchiveDamaged,
    ArchiveError,
    ArchiveForeign,
    RemoteError,
    RemoteForeign,
)
from neotoma_core.row_versions.columns import REMOVED
from tests.conftest import NOW
from tests.support.archiving import log_of, of_table, rebuild
from tests.support.databases import make_database, observation
from tests.support.on_a_store import TABLE, Archived
from tests.support.overwriting import KEYS
from tests.support.seaweed import BUCKET, S3Server
from tests.support.storing import in_bucket, use_keys

DAY = timedelta(days=1)


def test_it_has_every_row_cell_for_cell(there: Archived, tmp_path: Path) -> None:
    report = there.archive()
    assert (report.outcome, report.appended, report.archive) == ("archived", 4, there.place.url)
    with there.bring() as folder:
        assert log_of(rebuild(folder, tmp_path / "back.db")) == log_of(there.database)
    assert there.verify().outcome == "verified"


@pytest.mark.parametrize("machine", ["one", "two"])
def test_the_next_run_appends_what_is_new_only(machine: str, there: Archived) -> None:
    there.archive()
    before = there.names()
    assert there.archive(machine, NOW + DAY).outcome == "unchanged"
    assert there.names() == before
    there.add("o3")
    there.change("UPDATE observations SET fields = '{\"a\":1}' WHERE id = 'o1'")
    there.change("DELETE FROM sources")
    report = there.archive(machine, NOW + 2 * DAY)
    appended = of_table(report, TABLE)
    assert (appended.appended, appended.changed, report.gone) == (2, 1, 1)
    with there.bring() as folder:
        opened = open_archive(folder)
        assert read_table(opened, TABLE).require_whole().height == 4
        assert read_table(opened, REMOVED).require_whole().height == 1
    assert there.verify().findings == ()


def test_a_run_reads_only_what_its_mirror_lacks(there: Archived) -> None:
    there.archive()
    kept = {path: path.stat().st_ino for path in (there.folder / "one").rglob("*.parquet")}
    assert len(kept) == 3
    there.add("o3")
    there.archive(now=NOW + DAY)
    now = {path: path.stat().st_ino for path in (there.folder / "one").rglob("*.parquet")}
    assert len(now) == 4
    assert {path: now[path] for path in kept} == kept


def test_a_dry_run_writes_nothing(there: Archived) -> None:
    report = there.archive(dry_run=True)
    assert (report.outcome, report.appended, there.names()) == ("planned", 4, [])
    there.archive()
    there.add("o3")
    assert there.archive("two", dry_run=True).appended == 1
    assert len(there.names(f"{TABLE}/_delta_log")) == 1


def test_another_database_is_refused(there: Archived) -> None:
    there.archive()
    before = there.names()
    there.database.unlink()
    make_database(there.database, {TABLE: [observation("other")]})
    with pytest.raises(ArchiveForeign) as raised:
        there.archive()
    assert str(raised.value).startswith(f"archive {there.place.url}: it is of another database")
    assert there.names() == before


def test_a_place_that_holds_other_objects_is_refused(there: Archived) -> None:
    there.plant(lambda store: store.create("holiday/photo.jpg", b"a photo"))
    with pytest.raises(RemoteForeign, match="it holds other objects"):
        there.archive()
    assert there.names() == ["holiday/photo.jpg"]


def test_a_store_that_overwrites_is_refused_before_anything_is_written(
    overwriting: S3Server, credentials: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_keys(credentials, KEYS)
    refused = Archived(in_bucket(overwriting, BUCKET), tmp_path)
    refused.make()
    with pytest.raises(RemoteError, match="obeys If-None-Match"):
        refused.archive()
    assert refused.names() == []


def later(reader: int, writer: int, *features: str) -> bytes:
    named = {"readerFeatures": features, "writerFeatures": features} if features else {}
    protocol = {"minReaderVersion": reader, "minWriterVersion": writer, **named}
    return (json.dumps({"protocol": protocol}) + "\n").encode()  # noqa: TID251 - of Delta


LATER = {
    "readers of another version": later(9, 9),
    "a feature nobody knows yet": later(3, 7, "of-a-later-delta"),
    "a feature that changes what is there": later(3, 7, "deletionVectors"),
}


@pytest.mark.parametrize("protocol", LATER.values(), ids=list(LATER))
def test_a_table_of_a_later_protocol_is_not_touched(protocol: bytes, there: Archived) -> None:
    there.archive()
    there.plant(lambda store: store.create(f"{TABLE}/_delta_log/{1:020}.json", protocol))
    before = there.names()
    there.add("o3")
    with pytest.raises(ArchiveError) as raised:
        there.archive()
    assert "a later format wrote this table; update midden" in str(raised.value)
    assert there.place.url in str(raised.value)
    assert not isinstance(raised.value, ArchiveDamaged)
    assert there.names() == before
    report = there.verify()
    assert report.outcome == "damaged"
    assert [one.detail for one in report.findings] == ["a later format wrote this table"]


def test_a_table_only_later_writers_may_append_to_is_still_read(there: Archived) -> None:
    there.archive()
    there.plant(lambda store: store.create(f"{TABLE}/_delta_log/{1:020}.json", later(1, 6)))
    before = there.names()
    there.add("o3")
    with pytest.raises(ArchiveError, match="a later format may append to this table; update"):
        there.archive()
    assert there.names() == before
    assert there.verify().outcome == "verified"
