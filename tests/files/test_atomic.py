"""Many files forced to the disk together: all of them, and the folders after the files."""

import ctypes
import errno
import os
from pathlib import Path

import pytest

from neotoma_core.files import atomic
from neotoma_core.files.atomic import folders_of, sync_file_system, sync_together


def write_many(folder: Path, many: int) -> list[Path]:
    folder.mkdir()
    files = [folder / str(number) for number in range(many)]
    for file in files:
        file.write_bytes(b"x")
    return files


def watch_syncs(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Return the list that fills with what is forced to the disk, one by one."""
    forced: list[Path] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        forced.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    return forced


def test_a_few_files_are_forced_and_then_what_names_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = write_many(tmp_path / "few", 20)
    forced = watch_syncs(monkeypatch)
    sync_together(files, folders_of(files, 2))
    assert sorted(forced[:20]) == sorted(files)
    assert sorted(forced[20:]) == sorted([tmp_path, tmp_path / "few"])


def test_many_files_are_forced_by_one_call_for_their_file_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = write_many(tmp_path / "many", 101)
    forced = watch_syncs(monkeypatch)
    asked: list[Path] = []

    def ask(place: Path) -> bool:
        asked.append(place)
        return sync_file_system(place)

    monkeypatch.setattr(atomic, "sync_file_system", ask)
    sync_together(files, folders_of(files, 1))
    assert asked == [tmp_path / "many"]
    assert forced == []


@pytest.mark.parametrize("lacking", ["no such call", "not of this kernel"])
def test_where_no_file_system_can_be_asked_many_files_are_forced_as_few_are(
    lacking: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int) -> int:
        ctypes.set_errno(errno.ENOSYS)
        return -1

    call = None if lacking == "no such call" else refuse
    monkeypatch.setattr(atomic, "_system_call", lambda: call)
    files = write_many(tmp_path / "many", 101)
    forced = watch_syncs(monkeypatch)
    sync_together(files, folders_of(files, 1))
    assert sorted(forced[:101]) == sorted(files)
    assert forced[101:] == [tmp_path / "many"]


def test_a_disk_that_fails_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> int:
        ctypes.set_errno(errno.EIO)
        return -1

    monkeypatch.setattr(atomic, "_system_call", lambda: fail)
    files = write_many(tmp_path / "many", 101)
    with pytest.raises(OSError, match="Input/output error") as failed:
        sync_together(files, ())
    assert failed.value.filename == str(tmp_path / "many")
