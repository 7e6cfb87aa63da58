"""What midden keeps is its owner's alone: files 0600, folders 0700, however they came to be."""

import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from neotoma_core.archive.compact import CompactRequest, compact_archive
from neotoma_core.export.files import Format
from neotoma_core.export.request import ExportRequest
from neotoma_core.export.steps import export_tables
from neotoma_core.files.private import as_started, keep_private
from neotoma_core.report.progress import Silent
from tests.conftest import NOW, recover_into
from tests.support.archiving import archive
from tests.support.backing_up import Vault
from tests.support.databases import insert_all, observation
from tests.support.forks.asking import python
from tests.support.raw import database, name_of, put

RECEIPT = b"a receipt"
FORMATS: tuple[Format, ...] = ("parquet", "csv", "arrow")


@pytest.fixture
def world(tmp_path: Path) -> Vault:
    world = Vault(tmp_path)
    database(world.target, RECEIPT)
    put(world.target.parent / "sources_prod", RECEIPT)
    put(world.target.parent / "logs_prod", b"a line", "events/today.log")
    insert_all(database(tmp_path / "newer.db"), {"observations": [observation("o2")]})
    return world


@pytest.fixture
def own_umask() -> Iterator[None]:
    """Whatever a test does to the umask of the process, it does not stay."""
    before = os.umask(0o022)
    os.umask(before)
    yield
    os.umask(before)


def wrong(*folders: Path) -> list[str]:
    """Return what does not have the mode it should have."""
    found = [path for folder in folders for path in (folder, *folder.rglob("*"))]
    modes = {path: stat.S_IMODE(path.lstat().st_mode) for path in found if not path.is_symlink()}
    assert sum(path.is_file() for path in modes) > len(folders)
    return [f"{p} {m:o}" for p, m in modes.items() if m != (0o700 if p.is_dir() else 0o600)]


@pytest.mark.usefixtures("own_umask")
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077], ids=oct)
def test_nobody_else_can_read_what_is_kept_and_the_umask_stays(umask: int, world: Vault) -> None:
    place = world.folder / "made" / "too"
    os.umask(umask)
    world.back_up(logs=True)
    recover_into(world.vault)(world.target, world.folder / "newer.db")
    archive(world.target, place / "a" / "archive")
    compact_archive(CompactRequest(place / "a" / "archive"), NOW, Silent())
    for form in FORMATS:
        asked = ExportRequest(place / form, world.vault, target=world.target, format=form)
        export_tables(asked, NOW, Silent())
    assert os.umask(umask) == umask
    assert wrong(world.vault, place.parent) == []


@pytest.mark.usefixtures("own_umask")
def test_what_the_first_run_of_a_vault_leaves_is_private(world: Vault) -> None:
    os.umask(0)
    recover_into(world.vault)(world.target, world.folder / "newer.db")
    assert wrong(world.vault) == []


@pytest.mark.parametrize("umask", [0o000, 0o277], ids=oct)
def test_a_command_takes_no_notice_of_the_umask_it_is_given(umask: int, world: Vault) -> None:
    place = world.folder / "made" / "archive"
    own = ["--target", str(world.target), "--vault", str(world.vault)]
    for words in (["backup"], ["archive", "--to", str(place)]):
        midden = [str(python()), "-m", "neotoma_core", *words, *own]
        subprocess.run(midden, check=True, capture_output=True, umask=umask)
    assert wrong(world.vault, place.parent) == []


@pytest.mark.usefixtures("own_umask")
def test_what_others_could_read_they_no_longer_can(world: Vault, tmp_path: Path) -> None:
    place = tmp_path / "archive"
    os.umask(0)
    for folder in (world.vault, place):
        folder.mkdir()
    world.back_up()
    archive(world.target, place)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("not the vault's")
    elsewhere.chmod(0o644)
    for folder in (world.vault, place):
        for path in folder.rglob("*"):
            path.chmod(0o777 if path.is_dir() else 0o666)
        (folder / "link").symlink_to(elsewhere)
    world.back_up()
    archive(world.target, place)
    assert wrong(world.vault, place) == []
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o644


@pytest.mark.usefixtures("own_umask")
@pytest.mark.parametrize(
    ("above", "folder", "file"), [(0o755, 0o755, 0o644), (0o700, 0o700, 0o600)]
)
def test_raw_files_that_come_back_can_be_read_by_who_uses_the_folder(
    above: int, folder: int, file: int, world: Vault
) -> None:
    world.back_up()
    raw = world.target.parent / "sources_prod"
    for path in (raw / name_of(RECEIPT), raw / name_of(RECEIPT).partition("/")[0], raw):
        path.unlink() if path.is_file() else path.rmdir()
    raw.parent.chmod(above)
    assert world.restore("1").raw_files_restored == 1
    back = raw / name_of(RECEIPT)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (raw, back.parent, back)]
    assert modes == [folder, folder, file]


@pytest.mark.usefixtures("own_umask")
def test_a_program_that_takes_the_place_of_midden_has_the_umask_it_was_given() -> None:
    as_started()
    os.umask(0o027)
    keep_private()
    keep_private()
    as_started()
    assert os.umask(0o022) == 0o027
