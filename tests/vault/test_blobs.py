"""Raw files in the vault: only bytes that are what their name says come back."""

import hashlib
from pathlib import Path

from neotoma_core.vault.blobs import add_blobs, blob_path, remove_blobs, restore_blobs

CONTENTS = (b"good", b"rotten", b"there already", b"gone")
GOOD, ROTTEN, THERE, GONE = (f"user/{hashlib.sha256(c).hexdigest()}" for c in CONTENTS)


def folder_of_all(folder: Path) -> Path:
    (folder / "user").mkdir(parents=True)
    for name, content in zip((GOOD, ROTTEN, THERE, GONE), CONTENTS, strict=True):
        (folder / name).write_bytes(content)
    return folder


def test_what_is_restored_is_what_was_kept_and_what_is_lost_is_named(tmp_path: Path) -> None:
    vault, restored = tmp_path / "vault", tmp_path / "restored"
    names = (GOOD, ROTTEN, THERE, GONE)
    sizes = {name: len(content) for name, content in zip(names, CONTENTS, strict=True)}
    folder = folder_of_all(tmp_path / "sources")
    (folder / THERE).unlink()
    assert add_blobs(vault, folder, names) == (
        {name: size for name, size in sizes.items() if name != THERE},
        [THERE],
    )
    blob_path(vault, ROTTEN[5:]).write_bytes(b"others")
    blob_path(vault, GONE[5:]).unlink()
    (restored / "user").mkdir(parents=True)
    (restored / THERE).write_bytes(b"whatever it is")
    assert restore_blobs(vault, names, restored) == (1, [ROTTEN, GONE])
    assert {path.name: path.read_bytes() for path in restored.glob("*/*")} == {
        GOOD[5:]: b"good",
        THERE[5:]: b"whatever it is",
    }


def test_a_rotten_blob_is_replaced_and_a_good_one_stays(tmp_path: Path) -> None:
    vault, folder = tmp_path / "vault", folder_of_all(tmp_path / "sources")
    add_blobs(vault, folder, [GOOD, ROTTEN])
    good = blob_path(vault, GOOD[5:]).stat().st_ino
    blob_path(vault, ROTTEN[5:]).write_bytes(b"others")
    assert add_blobs(vault, folder, [GOOD, ROTTEN]) == ({GOOD: 4, ROTTEN: 6}, [])
    assert blob_path(vault, ROTTEN[5:]).read_bytes() == b"rotten"
    assert blob_path(vault, GOOD[5:]).stat().st_ino == good


def test_what_is_not_wanted_goes_and_what_is_not_the_vaults_stays(tmp_path: Path) -> None:
    vault, folder = tmp_path / "vault", folder_of_all(tmp_path / "sources")
    add_blobs(vault, folder, [GOOD, ROTTEN, GONE])
    aside = blob_path(vault, THERE[5:]).with_name(f"{GOOD[5:]}.midden.tmp")
    strange = blob_path(vault, GOOD[5:]).with_name("strange")
    left = blob_path(vault, ROTTEN[5:]).with_name(f"{ROTTEN[5:]}.midden.tmp")
    for path in (aside, strange, left):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"12345")
    behind = tmp_path / "behind" / GONE[5:]
    behind.parent.mkdir()
    blob_path(vault, GONE[5:]).rename(behind)
    blob_path(vault, GONE[5:]).symlink_to(behind)
    assert remove_blobs(vault, {GOOD[5:]}) == (2, len(b"rotten") + 5)
    assert blob_path(vault, GOOD[5:]).read_bytes() == b"good"
    assert (aside.exists(), strange.exists(), left.exists(), behind.exists()) == (
        *(True, True, False, True),
    )
