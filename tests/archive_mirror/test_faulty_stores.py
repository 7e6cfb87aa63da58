"""A store that does not keep its word half way: named, and nothing is built on what it said."""

from pathlib import Path

import pytest

from neotoma_core.archive.on_store import archive_to_store
from neotoma_core.archive_mirror.bringing import bring_archive
from neotoma_core.errors import DiskFull, RemoteDamaged, RemoteError
from neotoma_core.files.scratch import scratch_in
from neotoma_core.report.progress import Silent
from neotoma_core.runs.begin import Whereabouts
from neotoma_core.stores.store import Content, Store, Told, untold
from neotoma_core.stores.wrapped import Wrapped
from tests.conftest import NOW
from tests.support.on_a_store import Archived


class Shortening(Wrapped):
    """Gives back every file without its last byte."""

    def download(self, name: str, to: Path, told: Told = untold) -> None:
        super().download(name, to, told)
        to.write_bytes(to.read_bytes()[:-1])


class Refusing(Wrapped):
    """Says of every file of a table that there is one of that name already."""

    def create(self, name: str, content: Content, told: Told = untold) -> bool:
        return not name.endswith(".parquet") and super().create(name, content, told)


def bring(there: Archived, store: Store) -> None:
    with scratch_in(there.folder) as scratch, bring_archive(store, scratch, Silent()):
        pass


def test_a_file_that_is_cut_short_on_the_way_is_not_kept(there: Archived) -> None:
    there.archive()
    with there.place.open() as store:
        with pytest.raises(RemoteDamaged, match="is not as it was listed"):
            bring(there, Shortening(store))
        bring(there, store)


def test_a_file_that_another_one_made_is_not_committed(there: Archived) -> None:
    asked = Whereabouts(there.database, there.folder / "one")
    with there.place.open() as store, pytest.raises(RemoteError, match="is there already"):
        archive_to_store(asked, Refusing(store), NOW, Silent())
    assert not [name for name in there.names() if "_delta_log" in name]
    assert there.archive().appended == 4


def test_a_disk_without_room_for_the_mirror_is_said_before_it_is_full(
    there: Archived, monkeypatch: pytest.MonkeyPatch
) -> None:
    there.archive()
    monkeypatch.setattr("neotoma_core.archive_mirror.mirror.free_bytes", lambda _: 1 << 20)
    with there.place.open() as store, pytest.raises(DiskFull, match="mirror of the archive"):
        bring(there, store)
