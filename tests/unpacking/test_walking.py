import os
import socket
from pathlib import Path

import pytest

from neotoma_core.files.headers import MAGIC
from neotoma_core.unpacking.walking import Walked, walk


def names(*roots: Path, walked: Walked | None = None) -> list[str]:
    found = walk(roots, walked or Walked(), lambda _: None)
    return [os.fsencode(file.path.name).decode("ascii", "backslashreplace") for file in found]


def put(path: Path, content: bytes = MAGIC) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_databases_are_known_by_their_bytes_and_broken_ones_by_their_name(tmp_path: Path) -> None:
    for name in ("a.bak", "neotoma.prod 2.db", "conflicted copy", "x.db.db", "(1)"):
        put(tmp_path / name)
    put(tmp_path / "neotoma.prod 3.db", b"")
    put(tmp_path / "notes.db", b"no database")
    put(tmp_path / "a.bak-wal", MAGIC)
    assert names(tmp_path) == [
        "(1)", "a.bak", "conflicted copy", "neotoma.prod 2.db", "neotoma.prod 3.db", "x.db.db",
    ]  # fmt: skip


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_pipes_sockets_devices_and_links_are_never_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = tmp_path / "tree"
    put(tmp_path / "outside.db")
    put(tree / "inside.db")
    os.mkfifo(tree / "neotoma.db")
    (tree / "loop").symlink_to(tree)
    (tree / "out").symlink_to(tmp_path)
    (tree / "file.db").symlink_to(tmp_path / "outside.db")
    monkeypatch.chdir(tree)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("neotoma.db.sock")
        assert names(tree) == ["inside.db"]


def test_a_named_link_is_followed_and_a_file_is_found_once(tmp_path: Path) -> None:
    put(tmp_path / "real.db")
    (tmp_path / "link.db").symlink_to(tmp_path / "real.db")
    os.link(tmp_path / "real.db", tmp_path / "same.db")
    assert names(tmp_path / "link.db") == ["real.db"]
    assert names(tmp_path) == ["real.db"]
    assert names(tmp_path, tmp_path) == ["real.db"]


def test_caches_and_pseudo_file_systems_are_skipped(tmp_path: Path) -> None:
    put(tmp_path / "node_modules" / "a.db")
    put(tmp_path / ".cache" / "b.db")
    put(tmp_path / "kept" / "c.db")
    walked = Walked()
    assert names(tmp_path, Path("/proc"), walked=walked) == ["c.db"]
    assert walked.skipped == 3


def test_names_may_hold_line_ends_and_bytes_that_are_no_text(tmp_path: Path) -> None:
    put(Path(os.fsdecode(os.fsencode(tmp_path) + b"/a\nb\xff.db")))
    assert names(tmp_path) == ["a\nb\\xff.db"]


def test_what_may_not_be_read_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "locked" / "a.db")
    put(tmp_path / "b.db")
    scan = os.scandir

    def refuse(path: str) -> object:
        if path.endswith("locked"):  # permissions do not bind the user the tests may run as
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    walked = Walked()
    assert names(tmp_path, walked=walked) == ["b.db"]
    assert walked.unreadable == [(tmp_path / "locked", "permission denied")]
