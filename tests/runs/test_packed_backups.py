"""Archives that are named as a backup: packed in every way, cut, of several databases."""

import bz2
import gzip
import io
import lzma
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from neotoma_core.errors import BackupDamaged
from neotoma_core.recovery.text import plan_text
from tests.conftest import FIXTURES, Recover
from tests.recovery.test_inputs import server_on
from tests.support.backing_up import Vault
from tests.support.databases import count, make_database, observation
from tests.support.finding import recover_from
from tests.support.named_backups import BOTH, FIRST, SECOND, Pack, raw_of, tar_with
from tests.support.raw import database, name_of, put


def with_zstd(folder: Path, to: Path) -> Path:
    plain = tar_with("")(folder, to)
    path = to / "backup.tar.zst"
    path.write_bytes(zstandard.ZstdCompressor().compress(plain.read_bytes()))
    plain.unlink()
    return path


def zip_up(folder: Path, to: Path) -> Path:
    path = to / "backup.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder.parent))
    return path


def nest(folder: Path, to: Path) -> Path:
    inner = tar_with("gz")(folder, to)
    path = to / "outer.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(inner, "in/inner.tgz")
    inner.unlink()
    return path


PACKS = {
    "tar": tar_with(""),
    "tar.gz": tar_with("gz"),
    "tar.xz": tar_with("xz"),
    "tar.bz2": tar_with("bz2"),
    "tar.zst": with_zstd,
    "zip": zip_up,
    "tgz in a zip": nest,
}


@pytest.mark.parametrize("pack", PACKS.values(), ids=PACKS.keys())
def test_an_archive_of_a_backup_folder_is_a_backup_with_its_raw_files(
    pack: Pack, target: Path, neotomas: Path, tmp_path: Path, run_recover: Recover
) -> None:
    (tmp_path / "packed").mkdir()
    path = pack(neotomas, tmp_path / "packed")
    shutil.rmtree(neotomas)
    run_recover(target, path)
    assert (count(target, "observations"), raw_of(target)) == (1, BOTH)
    target.unlink()
    shutil.rmtree(target.parent / "sources_prod")
    report = Vault(tmp_path).restore(str(path))
    assert (report.raw_files_restored, raw_of(target)) == (2, BOTH)
    target.unlink()
    shutil.rmtree(target.parent / "sources_prod")
    recover_from(target, tmp_path / "packed")  # as a search finds it
    assert raw_of(target) == BOTH


@pytest.mark.parametrize(
    ("ending", "compress"),
    [
        (".gz", gzip.compress),
        (".xz", lzma.compress),
        (".bz2", bz2.compress),
        (".zst", zstandard.ZstdCompressor().compress),
    ],
)
def test_a_compressed_database_is_a_backup_with_the_raw_files_beside_it(
    ending: str,
    compress: Callable[[bytes], bytes],
    target: Path,
    neotomas: Path,
    run_recover: Recover,
) -> None:
    plain = neotomas / "neotoma.prod.db"
    path = plain.with_name(plain.name + ending)
    path.write_bytes(compress(plain.read_bytes()))
    plain.unlink()
    run_recover(target, path)
    assert (count(target, "observations"), raw_of(target)) == (1, BOTH)
    target.unlink()
    shutil.rmtree(target.parent / "sources_prod")
    run_recover(target, neotomas)  # the folder that holds it
    assert raw_of(target) == BOTH


def test_a_log_in_an_archive_counts(target: Path, tmp_path: Path, run_recover: Recover) -> None:
    live = make_database(tmp_path / "live/neotoma.prod.db", {"observations": [observation("o1")]})
    path = tmp_path / "live.tar.gz"
    with server_on(live), tarfile.open(path, "w:gz") as archive:
        archive.add(live.with_name(live.name + "-wal"), "neotoma.prod.db-wal")
        archive.add(live, "neotoma.prod.db")
        expected = count(live, "observations")
    run_recover(target, path)
    assert count(target, "observations") == expected > 1


def test_an_archive_that_was_cut_gives_what_came_before_and_that_is_said(
    target: Path, neotomas: Path, tmp_path: Path, run_recover: Recover
) -> None:
    path = tmp_path / "cut.tar"
    with tarfile.open(path, "w") as archive:
        archive.add(neotomas / "neotoma.prod.db", "n/neotoma.prod.db")
        archive.add(neotomas / "sources" / name_of(FIRST), f"n/sources/{name_of(FIRST)}")
        rest = archive.offset
        archive.add(neotomas / "sources" / name_of(SECOND), f"n/sources/{name_of(SECOND)}")
    path.write_bytes(path.read_bytes()[: rest + 520])
    shutil.rmtree(neotomas)
    report = run_recover(target, path)
    assert count(target, "observations") == 1
    assert report.raw_files.missing == (name_of(SECOND),)
    (finding,) = [f for f in report.findings if f.kind == "cut-short"]
    assert (finding.subject, finding.detail.partition(";")[0]) == (
        f"{path}!n/neotoma.prod.db",
        "it is cut short",
    )
    target.unlink()
    assert Vault(tmp_path).restore(str(path)).problem == "it is cut short"


def test_what_is_wrong_with_a_database_in_an_archive_is_said_of_the_archive(
    target: Path, neotomas: Path, tmp_path: Path, run_recover: Recover
) -> None:
    plain = neotomas / "neotoma.prod.db"
    raw = bytearray(plain.read_bytes())
    raw[3 * 4096 : 4 * 4096] = b"\xff" * 4096
    plain.write_bytes(raw)
    path = tar_with("")(neotomas, tmp_path)
    with pytest.raises(BackupDamaged) as refused:
        run_recover(target, path)
    assert refused.value.path == Path(f"{path}!{neotomas.name}/neotoma.prod.db")
    report = run_recover(target, path, FIXTURES / "neotoma_backup.tar.xz", skip_unreadable=True)
    assert report.not_used[0].path == str(path)


def test_names_in_an_archive_lead_nowhere(
    target: Path, tmp_path: Path, run_recover: Recover
) -> None:
    digest = name_of(FIRST).rpartition("/")[2]
    plain = database(tmp_path / "x" / "neotoma.prod.db", urls=(f"../{digest}",))
    path = tmp_path / "hostile.tar"
    with tarfile.open(path, "w") as archive:
        archive.add(plain, "../n/neotoma.prod.db")
        for name in (f"../n/sources/../{digest}", f"../n/sources/x\\..\\{digest}"):
            member = tarfile.TarInfo(name)
            member.size = len(FIRST)
            archive.addfile(member, io.BytesIO(FIRST))
        link = tarfile.TarInfo(f"../n/sources/u1/{digest}")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        archive.addfile(link)
    before = {p for p in tmp_path.rglob("*") if p.name == digest}
    assert run_recover(target, path).raw_files.added == 0
    assert {p for p in tmp_path.rglob("*") if p.name == digest} == before == set()


def test_a_damaged_raw_file_of_an_archive_is_not_brought_over(
    target: Path, neotomas: Path, tmp_path: Path, run_recover: Recover
) -> None:
    put(neotomas / "sources", b"noise", name_of(FIRST))
    path = zip_up(neotomas, tmp_path)
    shutil.rmtree(neotomas)
    report = run_recover(target, path)
    assert report.raw_files.damaged == (name_of(FIRST),)
    assert "raw files  1 are damaged in every copy" in plan_text(report)
    assert raw_of(target) == {name_of(SECOND)}
