"""A vault that was made and is gone is never made again unasked."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from neotoma_core.errors import VaultAbsent, VaultDamaged
from neotoma_core.vault.folder import DESCRIPTION, open_vault
from neotoma_core.vault.noted import absent_vault, forget_vault, keep_notes_in

TARGET = Path("/data/neotoma.db")


@pytest.fixture
def notes(tmp_path: Path) -> Iterator[Path]:
    """Where vaults are noted during a test."""
    folder = tmp_path / "state" / "vaults"
    keep_notes_in(folder)
    yield folder
    keep_notes_in(None)


@pytest.fixture
def gone(tmp_path: Path, notes: Path) -> Path:
    """A vault that was made and whose disk is gone: its mount point may have stayed."""
    vault = tmp_path / "disk" / "vault"
    open_vault(vault, TARGET)
    assert notes.is_dir()
    shutil.rmtree(vault)
    return vault


@pytest.mark.parametrize("left", ["nothing", "the disk's folder", "the vault's folder"])
def test_a_vault_that_is_gone_is_not_made_again(gone: Path, left: str) -> None:
    if left == "nothing":
        gone.parent.rmdir()
    if left == "the vault's folder":
        gone.mkdir()
    with pytest.raises(VaultAbsent, match="connect its disk") as refused:
        open_vault(gone, TARGET)
    assert refused.value.exit_code == 20
    assert f"midden init --target {TARGET} --new-vault --vault {gone}" in str(refused.value)
    assert not (gone / DESCRIPTION).exists()
    assert gone.exists() == (left == "the vault's folder")


def test_the_disk_to_connect_is_named(gone: Path, notes: Path) -> None:
    (note,) = notes.iterdir()
    mounted = {**orjson.loads(note.read_bytes()), "mounted_at": b"/mnt/usb stick".hex()}
    note.write_bytes(orjson.dumps(mounted))
    with pytest.raises(VaultAbsent, match="the disk that is mounted at /mnt/usb stick"):
        open_vault(gone, TARGET)


@pytest.mark.parametrize("content", [b"", b'{"mounted_at":', b"[]", b'{"mounted_at": "zz"}'])
def test_a_note_that_was_cut_short_is_still_one(gone: Path, notes: Path, content: bytes) -> None:
    (note,) = notes.iterdir()
    note.write_bytes(content)
    assert absent_vault(gone, TARGET) is not None


@pytest.mark.usefixtures("notes")
def test_a_vault_comes_back_with_its_disk_and_another_is_free(gone: Path) -> None:
    open_vault(gone.with_name("another"), TARGET)
    gone.mkdir()
    shutil.copy(gone.with_name("another") / DESCRIPTION, gone)
    open_vault(gone, TARGET)
    assert absent_vault(gone, TARGET) is None


def test_one_that_only_lost_its_description_is_not_gone(gone: Path) -> None:
    state = gone / "backups" / "1" / "state.json"
    state.parent.mkdir(parents=True)
    state.touch()
    assert absent_vault(gone, TARGET) is None
    with pytest.raises(VaultDamaged, match="missing, but the folder was a vault"):
        open_vault(gone, TARGET)


def test_one_that_is_gone_for_good_can_be_made_again(gone: Path) -> None:
    forget_vault(gone)
    open_vault(gone, TARGET)
    assert (gone / DESCRIPTION).is_file()


def test_a_program_that_says_no_place_keeps_no_notes(tmp_path: Path) -> None:
    keep_notes_in(None)
    open_vault(tmp_path / "vault", TARGET)
    shutil.rmtree(tmp_path / "vault")
    open_vault(tmp_path / "vault", TARGET)


def test_where_nothing_can_be_noted_a_vault_is_made_all_the_same(
    tmp_path: Path, notes: Path
) -> None:
    notes.parent.parent.joinpath("state").write_text("a file in the way")
    open_vault(tmp_path / "vault", TARGET)
    assert (tmp_path / "vault" / DESCRIPTION).is_file()
