"""A target that nothing can be renamed over, as a file that is a mount of its own."""

import errno
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from neotoma_core.erasure.erase import erase
from neotoma_core.erasure.request import EraseRequest, erase_run
from neotoma_core.errors import TargetError
from neotoma_core.files.atomic import observe as watched
from neotoma_core.publication.overwriting import copy_within
from neotoma_core.publication.replacing import replace_by_ruin, replace_database
from neotoma_core.rebuild.rebuild import rebuild_snapshots
from neotoma_core.rebuild.request import RebuildRequest, rebuild_run
from neotoma_core.report.progress import Silent
from neotoma_core.sqlite import online_backup
from tests.conftest import NOW, Recover
from tests.recovery.test_inputs import facts_of
from tests.support.backing_up import PERMISSIVE
from tests.support.databases import make_database, read_all
from tests.support.proven import observe, owner
from tests.support.restoring import restore_evidence
from tests.support.ruins import SPOILT


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return database(tmp_path / "data" / "target.db", 40)


@pytest.fixture
def mounted(target: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The target, once nothing can be renamed over it, as the system says of a mount."""
    rename = os.replace

    def refusing(source: str | Path, place: str | Path) -> None:
        if Path(place) == target:
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(place))
        rename(source, place)

    monkeypatch.setattr(os, "replace", refusing)
    return target


def database(path: Path, rows: int) -> Path:
    observations = [observe(n) for n in range(rows)]
    return make_database(path, {"observations": observations, "entities": [owner()]})


@pytest.mark.parametrize("state", ["half", "no byte", "text", "header zeroed"])
def test_a_ruin_is_recovered_inside_the_file_and_comes_back(
    state: str, mounted: Path, tmp_path: Path, run_recover: Recover
) -> None:
    backup = database(tmp_path / "backup.db", 60)
    SPOILT[state](mounted)
    ruin, place = mounted.read_bytes(), mounted.stat().st_ino
    report = run_recover(mounted, backup)
    assert (report.outcome, mounted.stat().st_ino) == ("published", place)
    assert read_all(mounted)["observations"] == read_all(backup)["observations"]
    evidence = Path(report.evidence.folder)
    restore_evidence(evidence, mounted, tmp_path / "vault", NOW, Silent(), guard=PERMISSIVE)
    assert (mounted.read_bytes(), mounted.stat().st_ino) == (ruin, place)
    assert [path.name for path in mounted.parent.iterdir()] == [mounted.name]


def test_a_recovery_is_undone_inside_the_file(
    mounted: Path, tmp_path: Path, run_recover: Recover
) -> None:
    before = read_all(mounted)
    report = run_recover(mounted, database(tmp_path / "backup.db", 60))
    evidence = Path(report.evidence.folder)
    restore_evidence(evidence, mounted, tmp_path / "vault", NOW, Silent(), guard=PERMISSIVE)
    assert read_all(mounted) == before


@pytest.mark.parametrize("step", ["emptied", "overwritten"])
def test_what_was_stopped_within_is_completed_by_doing_it_again(
    step: str, mounted: Path, tmp_path: Path
) -> None:
    whole = database(tmp_path / "whole.db", 60)
    SPOILT["text"](mounted)

    def stop(reached: str) -> None:
        if reached == step:
            raise KeyboardInterrupt

    with watched(stop), pytest.raises(KeyboardInterrupt):
        replace_database(mounted, whole)
    assert mounted.read_bytes() == b"" or read_all(mounted) == read_all(whole)
    replace_database(mounted, whole)
    assert read_all(mounted) == read_all(whole)


@pytest.mark.parametrize("place", [5000, -1])
def test_content_that_did_not_arrive_is_noticed(place: int, mounted: Path, tmp_path: Path) -> None:
    whole = database(tmp_path / "whole.db", 60)

    def spoil(reached: str) -> None:
        if reached == "overwritten":
            with mounted.open("r+b") as file:
                file.seek(place if place > 0 else whole.stat().st_size)
                file.write(b"other")

    with watched(spoil), pytest.raises(TargetError, match="does not hold what was written"):
        copy_within(whole, mounted)


def test_a_reader_in_the_middle_of_a_transaction_keeps_it_out(
    mounted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(online_backup, "_PATIENCE_SECONDS", 0.1)
    whole = database(tmp_path / "whole.db", 60)
    before = read_all(mounted)
    with closing(sqlite3.connect(mounted, isolation_level=None)) as reader:
        reader.execute("BEGIN IMMEDIATE")
        with pytest.raises(TargetError, match="locked"):
            copy_within(whole, mounted)
    assert read_all(mounted) == before


def test_where_a_ruin_does_not_fit_the_target_is_not_overwritten(
    target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ruin, before = tmp_path / "ruin.db", facts_of(target.parent)
    ruin.write_bytes(b"a ruin")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        replace_by_ruin(target, ruin)
    assert facts_of(target.parent) == before


Way = Callable[[Path, Path, Recover], object]


def _rebuild(target: Path, folder: Path, _: Recover) -> None:
    with rebuild_run(RebuildRequest(target, folder / "vault"), NOW) as run:
        rebuild_snapshots(run, lambda _: True, Silent())


def _erase(target: Path, folder: Path, _: Recover) -> None:
    request = EraseRequest(target, folder / "vault", entities=("ent_000000000000000000000001",))
    with erase_run(request, NOW) as run:
        erase(run, lambda _: True, Silent())


WAYS: dict[str, Way] = {
    "recover": lambda target, folder, recover: recover(target, database(folder / "b.db", 60)),
    "rebuild": _rebuild,
    "erase": _erase,
}


@pytest.mark.parametrize("way", WAYS)
def test_a_folder_that_cannot_be_written_to_is_said_before_anything_begins(
    way: str, target: Path, tmp_path: Path, run_recover: Recover, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, allowed = facts_of(target.parent), os.access

    def refusing(path: str | Path, mode: int) -> bool:
        return Path(path) != target.parent and allowed(path, mode)

    monkeypatch.setattr(os, "access", refusing)
    with pytest.raises(TargetError, match="its folder cannot be written to"):
        WAYS[way](target, tmp_path, run_recover)
    assert facts_of(target.parent) == before
    assert not list((tmp_path / "vault" / "evidence").glob("*/target"))
