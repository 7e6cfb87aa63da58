"""Raw files, copied and moved: what fails is told apart from what is not there."""

import errno
import hashlib
import os
from pathlib import Path

import pytest

from neotoma_core.vault.raw_files import (
    aside,
    copy_aside,
    copy_raw_files,
    move_raw_file,
    remove_raw_files,
)

CONTENT = b"of a source"
NAME = f"user/{hashlib.sha256(CONTENT).hexdigest()}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "sources" / NAME
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    (tmp_path / "to" / "user").mkdir(parents=True)
    return tmp_path / "sources"


def test_a_source_that_is_not_there_is_none(folder: Path, tmp_path: Path) -> None:
    (folder / NAME).unlink()
    assert copy_aside(f"{folder}/{NAME}", f"{tmp_path}/to/{NAME}") is None


def test_of_files_that_are_copied_those_that_failed_are_named(folder: Path, tmp_path: Path) -> None:
    other = f"user/{hashlib.sha256(b'once').hexdigest()}"
    (folder / other).write_bytes(b"now")
    copied = copy_raw_files(folder, [NAME, other], tmp_path / "new")
    assert copied == (len(CONTENT), (other,))
    assert [path.name for path in (tmp_path / "new").glob("*/*")] == [NAME[5:]]


def test_a_file_that_is_gone_already_is_removed_too(folder: Path) -> None:
    remove_raw_files(folder, [NAME, "user/gone", "nobody/gone"])
    assert not list(folder.glob("*/*"))


def test_a_copy_that_cannot_be_made_is_no_missing_source(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        copy_aside(f"{folder}/{NAME}", f"{tmp_path}/nowhere/{NAME}")


def test_a_copy_that_may_not_be_made_is_no_unreadable_source(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = os.open

    def refusing(path: str, flags: int, *rest: int, **more: int) -> int:
        if os.fspath(path) == aside(f"{tmp_path}/to/{NAME}"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return opened(path, flags, *rest, **more)

    monkeypatch.setattr(os, "open", refusing)
    with pytest.raises(PermissionError):
        copy_aside(f"{folder}/{NAME}", f"{tmp_path}/to/{NAME}")


def test_a_damaged_file_is_moved_even_where_it_cannot_be_read(folder: Path, tmp_path: Path) -> None:
    (folder / NAME).unlink()
    (folder / NAME).symlink_to(folder / "nowhere")
    move_raw_file(folder, NAME, tmp_path / "evidence")
    assert (tmp_path / "evidence" / NAME).is_symlink()
    assert not (folder / NAME).is_symlink()


def test_a_file_moves_to_another_file_system_too(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    renamed = Path.rename

    def refusing(path: Path, target: Path) -> Path:
        if path.parent.parent == folder:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), str(path))
        return renamed(path, target)

    monkeypatch.setattr(Path, "rename", refusing)
    move_raw_file(folder, NAME, tmp_path / "evidence")
    assert (tmp_path / "evidence" / NAME).read_bytes() == CONTENT
    assert not (folder / NAME).exists()


def test_on_a_second_try_the_good_copy_stays(folder: Path, tmp_path: Path) -> None:
    move_raw_file(folder, NAME, tmp_path / "evidence")
    (folder / NAME).write_bytes(b"good")
    move_raw_file(folder, NAME, tmp_path / "evidence")
    assert (folder / NAME).read_bytes() == b"good"
    assert (tmp_path / "evidence" / NAME).read_bytes() == CONTENT
