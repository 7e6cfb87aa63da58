import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from neotoma_core.files.headers import MAGIC
from neotoma_core.unpacking.unpack import Limits, Unpacked, unpack
from neotoma_core.unpacking.walking import FoundFile, kind_of
from tests.support.packing import PACKERS, tar

DATABASE = MAGIC + b"x" * 600
WAL = b"\x37\x7f\x06\x82" + b"y" * 40


def unpack_all(path: Path, limits: Limits | None = None) -> list[Unpacked]:
    content = path.read_bytes()
    folder = path.parent / "scratch"
    folder.mkdir()
    found = FoundFile(path, kind_of(content[:512]), len(content), 0)
    return list(unpack(found, folder, limits or Limits()))


@pytest.mark.parametrize(("ending", "pack"), PACKERS.items())
def test_a_compressed_database_and_a_compressed_archive_are_unpacked(
    tmp_path: Path, ending: str, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / f"neotoma.db.{ending}"
    path.write_bytes(pack(DATABASE))
    (one,) = unpack_all(path)
    assert one.member == ""
    assert one.path is not None
    assert one.path.name == "neotoma.db"
    assert one.path.read_bytes() == DATABASE
    inner = tmp_path / "in"
    inner.mkdir()
    path = inner / f"all.tar.{ending}"
    path.write_bytes(pack(tar({"a/b.db": DATABASE, "note.txt": b"no"})))
    (one,) = unpack_all(path)
    assert one.member == "a/b.db"


def test_a_log_in_an_archive_stays_with_its_database_whatever_comes_first(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(tar({"x/n.db-wal": WAL, "x/n.db": DATABASE, "y/n.db": DATABASE}))
    first, second = unpack_all(path)
    assert first.path is not None
    assert second.path is not None
    assert first.path.with_name("n.db-wal").read_bytes() == WAL
    assert not second.path.with_name("n.db-wal").exists()


def test_names_in_an_archive_lead_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../../neotoma.db", DATABASE)
        archive.writestr("/etc/..", DATABASE)
    found = unpack_all(path)
    assert [one.member for one in found] == ["../../../neotoma.db", "/etc/.."]
    assert all(one.path and (tmp_path / "scratch") in one.path.parents for one in found)


def test_an_archive_in_an_archive_is_looked_into_and_not_for_ever(tmp_path: Path) -> None:
    content = DATABASE
    for _ in range(4):
        content = tar({"neotoma.db" if content is DATABASE else "in.tar": content})
    path = tmp_path / "deep.tar"
    path.write_bytes(content)
    (beyond,) = unpack_all(path)
    assert beyond.problem == "archives nested deeper in it are not searched"
    other = tmp_path / "o"
    other.mkdir()
    (other / "a.tar").write_bytes(tar({"in.tar": tar({"n.db": DATABASE})}))
    (one,) = unpack_all(other / "a.tar")
    assert one.member == "in.tar!n.db"


@pytest.mark.parametrize(
    ("limits", "problem"),
    [
        (Limits(bytes=1 << 20), "unpacks to more than 0.0 GB"),
        (Limits(ratio_from=1 << 20), "unpacks to more than 200 times its size"),
    ],
)
def test_a_bomb_is_unpacked_only_so_far(tmp_path: Path, limits: Limits, problem: str) -> None:
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(DATABASE + bytes(8 << 20)))
    (one,) = unpack_all(path, limits)
    assert one == Unpacked(None, "", f"not unpacked any further: it {problem}")
    written = sum(f.stat().st_size for f in (tmp_path / "scratch").rglob("*") if f.is_file())
    assert written <= 3 << 20


def test_what_an_archive_makes_us_skip_counts_as_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.tgz"
    path.write_bytes(gzip.compress(tar({"zeros.txt": bytes(8 << 20), "n.db": DATABASE})))
    (one,) = unpack_all(path, Limits(bytes=4 << 20))
    assert one.path is None


def test_too_many_entries_and_damage_are_named(tmp_path: Path) -> None:
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(5):
            archive.writestr(str(number), b"")
    (one,) = unpack_all(path, Limits(entries=4))
    assert one.problem == "not unpacked any further: it has more than 4 entries"
    cut = tmp_path / "cut"
    cut.mkdir()
    (cut / "n.db.gz").write_bytes(gzip.compress(DATABASE)[:-12])
    assert unpack_all(cut / "n.db.gz")[-1].problem == "it is cut short"


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE])
def test_what_is_said_of_a_link_is_not_said_of_the_next_file(kind: bytes, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        link = tarfile.TarInfo("a link with a long name " + "x" * 120)
        link.type, link.linkname = kind, "elsewhere"
        link.pax_headers = {"size": "3"}
        archive.addfile(link)
        member = tarfile.TarInfo("neotoma.db")
        member.size = len(DATABASE)
        archive.addfile(member, io.BytesIO(DATABASE))
    path = tmp_path / "all.tar"
    path.write_bytes(buffer.getvalue())
    (one,) = unpack_all(path)
    assert (one.member, one.problem) == ("neotoma.db", "")
    assert one.path is not None
    assert one.path.read_bytes() == DATABASE
