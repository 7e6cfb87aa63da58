"""What may be named as a backup: a database, a folder or an archive that has one, raw files too."""

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

from neotoma_core.errors import BackupDamaged, BackupUnreadable, EnvironmentMismatch, UsageError
from neotoma_core.recovery.text import plan_text
from tests.conftest import FIXTURES, Recover, recover_into
from tests.recovery.test_inputs import server_on
from tests.support.backing_up import Vault
from tests.support.databases import count, make_database, observation
from tests.support.finding import recover_from
from tests.support.raw import database, name_of, names_in, put

FIRST, SECOND = b"an invented receipt", b"another invented receipt"
BOTH = {name_of(FIRST), name_of(SECOND)}
Pack = Callable[[Path, Path], Path]


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data" / "neotoma.prod.db"


@pytest.fixture
def neotomas(tmp_path: Path) -> Path:
    """A backup folder as Neotoma leaves it where its own check fails: without a manifest."""
    folder = tmp_path / "backups" / "neotoma-backup-2026-03-10T00-00-00"
    database(folder / "neotoma.prod.db", FIRST, SECOND)
    put(folder / "sources", FIRST)
    put(folder / "sources", SECOND)
    return folder


def raw_of(target: Path) -> set[str]:
    assert not (target.parent / "sources").exists()
    return names_in(target.parent / "sources_prod")


def test_neotomas_backup_without_a_manifest_recovers_with_its_raw_files(
    target: Path, neotomas: Path, run_recover: Recover
) -> None:
    report = run_recover(target, neotomas)
    assert count(target, "observations") == 1
    assert (raw_of(target), report.raw_files.missing) == (BOTH, ())
    assert report.backups[0].path == str(neotomas / "neotoma.prod.db")


def test_neotomas_backup_without_a_manifest_restores_with_its_raw_files(
    target: Path, neotomas: Path, tmp_path: Path
) -> None:
    report = Vault(tmp_path).restore(str(neotomas))
    assert count(target, "observations") == 1
    assert (report.raw_files_restored, report.raw_files_missing) == (2, 0)
    assert raw_of(target) == BOTH


@pytest.mark.parametrize("manifest", ["", "{", '{"version": "1.0"', "{}", "[]"])
def test_a_manifest_that_was_not_written_to_its_end_counts_as_none(
    manifest: str, target: Path, neotomas: Path, tmp_path: Path, run_recover: Recover
) -> None:
    (neotomas / "manifest.json").write_text(manifest)
    run_recover(target, neotomas)
    assert raw_of(target) == BOTH
    target.unlink()
    shutil.rmtree(target.parent / "sources_prod")
    Vault(tmp_path).restore(str(neotomas))
    assert raw_of(target) == BOTH


def test_a_backup_that_has_only_the_database_says_what_it_lacks(
    target: Path, neotomas: Path, tmp_path: Path, run_recover: Recover
) -> None:
    shutil.rmtree(neotomas / "sources")
    report = run_recover(target, neotomas)
    assert report.raw_files.missing == tuple(sorted(BOTH))
    line = "raw files  2 that the database names are in none of these copies; the report lists them"
    assert line in plan_text(report).splitlines()
    target.unlink()
    assert Vault(tmp_path).restore(str(neotomas)).raw_files_missing == 2


def tarred(mode: str) -> Pack:
    def pack(folder: Path, to: Path) -> Path:
        path = to / f"backup.tar.{mode}"
        with tarfile.open(path, f"w:{mode}") as archive:  # type: ignore[call-overload]  # by name
            archive.add(folder, folder.name)
        return path

    return pack


def with_zstd(folder: Path, to: Path) -> Path:
    plain = tarred("")(folder, to)
    path = to / "backup.tar.zst"
    path.write_bytes(zstandard.ZstdCompressor().compress(plain.read_bytes()))
    plain.unlink()
    return path


def zipped(folder: Path, to: Path) -> Path:
    path = to / "backup.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder.parent))
    return path


def nested(folder: Path, to: Path) -> Path:
    inner = tarred("gz")(folder, to)
    path = to / "outer.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(inner, "in/inner.tgz")
    inner.unlink()
    return path


PACKS = {
    "tar": tarred(""),
    "tar.gz": tarred("gz"),
    "tar.xz": tarred("xz"),
    "tar.bz2": tarred("bz2"),
    "tar.zst": with_zstd,
    "zip": zipped,
    "tgz in a zip": nested,
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


def test_the_bundled_backup_of_neotoma_recovers_as_it_is(
    target: Path, run_recover: Recover
) -> None:
    report = run_recover(target, FIXTURES / "neotoma_backup.tar.xz")
    assert count(target, "observations") == 84
    assert (len(raw_of(target)), report.raw_files.missing) == (84, ())


def test_of_several_databases_one_has_to_be_named(
    target: Path, neotomas: Path, tmp_path: Path, run_recover: Recover
) -> None:
    database(neotomas.parent / "older" / "neotoma.prod.db", FIRST)
    put(neotomas.parent / "older" / "sources_prod", FIRST)
    with pytest.raises(BackupUnreadable, match="2 databases are in it") as refused:
        run_recover(target, neotomas.parent)
    assert str(neotomas / "neotoma.prod.db") in str(refused.value)
    path = tarred("gz")(neotomas.parent, tmp_path)
    with pytest.raises(BackupUnreadable) as refused:
        run_recover(target, path)
    older = f"{path}!backups/older/neotoma.prod.db"
    assert older in str(refused.value)
    run_recover(target, Path(older))
    assert raw_of(target) == {name_of(FIRST)}
    with pytest.raises(BackupUnreadable, match=r"x\.db is not in it, but these are"):
        run_recover(target, Path(f"{path}!x.db"))


def test_the_targets_environment_decides_between_two_databases(
    target: Path, neotomas: Path, run_recover: Recover
) -> None:
    database(neotomas / "neotoma.db", b"of the development database")
    put(neotomas / "sources", b"of the development database")
    run_recover(target, neotomas)
    assert raw_of(target) == BOTH


def test_a_folder_of_one_backup_folder_is_looked_into(
    target: Path, neotomas: Path, run_recover: Recover
) -> None:
    run_recover(target, neotomas.parent)
    assert raw_of(target) == BOTH


def test_what_holds_no_database_of_neotomas_is_refused(
    target: Path, tmp_path: Path, unpacked: Path, run_recover: Recover
) -> None:
    (tmp_path / "empty").mkdir()
    shutil.copy(unpacked / "Documents/photos.db", tmp_path / "empty")
    for backup in (tmp_path / "empty", tarred("")(tmp_path / "empty", tmp_path)):
        with pytest.raises(BackupUnreadable, match="no Neotoma database is in it"):
            run_recover(target, backup)
        with pytest.raises(BackupUnreadable, match="no Neotoma database is in it"):
            Vault(tmp_path).restore(str(backup))
    assert not target.exists()


def test_a_folder_of_the_other_environment_is_refused_as_its_database_is(
    tmp_path: Path, neotomas: Path, run_recover: Recover
) -> None:
    for backup in (neotomas, tarred("")(neotomas, tmp_path)):
        with pytest.raises(EnvironmentMismatch):
            run_recover(tmp_path / "neotoma.db", backup)
        with pytest.raises(EnvironmentMismatch):
            Vault(tmp_path).restore(str(backup), tmp_path / "neotoma.db")


def test_a_folder_that_holds_only_the_target_is_refused(
    target: Path, tmp_path: Path, run_recover: Recover
) -> None:
    database(target, FIRST)
    with pytest.raises(UsageError, match="its own backup"):
        run_recover(target, target.parent)
    with pytest.raises(UsageError, match="the target itself"):
        Vault(tmp_path).restore(str(target.parent))


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
    path = tarred("")(neotomas, tmp_path)
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
    path = zipped(neotomas, tmp_path)
    shutil.rmtree(neotomas)
    report = run_recover(target, path)
    assert report.raw_files.damaged == (name_of(FIRST),)
    assert "raw files  1 are damaged in every copy" in plan_text(report)
    assert raw_of(target) == {name_of(SECOND)}


@pytest.fixture
def world(tmp_path: Path, target: Path) -> Vault:
    database(target, FIRST, SECOND)
    put(target.parent / "sources_prod", FIRST)
    put(target.parent / "sources_prod", SECOND)
    world = Vault(tmp_path)
    world.back_up()
    return world


def test_a_backup_of_a_vault_is_a_backup_with_its_raw_files(
    world: Vault, run_recover: Recover
) -> None:
    fresh = world.folder / "elsewhere" / "neotoma.prod.db"
    fresh.parent.mkdir()
    report = recover_into(world.folder / "fresh vault")(fresh, world.place())
    assert report.backups[0].path == str(world.place())
    assert raw_of(fresh) == BOTH
    stored = world.place() / "database.db.zst"
    stored.write_bytes(stored.read_bytes()[:-1] + b"?")
    with pytest.raises(BackupDamaged, match=r"database\.db\.zst: cannot be decompressed"):
        run_recover(world.folder / "x.prod.db", world.place())


def test_raw_files_that_no_copy_has_come_out_of_the_vault(
    world: Vault, run_recover: Recover
) -> None:
    backup = database(world.folder / "copies" / "neotoma.prod.db", FIRST, SECOND, b"lost")
    raw = world.target.parent / "sources_prod"
    (raw / name_of(FIRST)).unlink()
    put(raw, b"noise", name_of(SECOND))
    report = run_recover(world.target, backup)
    assert (report.raw_files.added, report.raw_files.repaired) == (1, (name_of(SECOND),))
    assert report.raw_files.missing == (name_of(b"lost"),)
    assert raw_of(world.target) == BOTH


def test_raw_files_go_where_neotoma_is_configured_to_keep_them(
    world: Vault, neotomas: Path
) -> None:
    raw = world.folder / "raw"
    report = world.restore(str(neotomas), raw_storage=raw)
    assert (report.raw_files_restored, report.raw_folder) == (2, str(raw))
    assert names_in(raw) == BOTH
