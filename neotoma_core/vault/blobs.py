"""Raw files in the vault, shared by all backups: ``blobs/ab/<sha256>``.

Invariant: a name is only ever given to bytes with that SHA-256. One that rotted is replaced by a
good copy. Write order: copies under temporary names → synced → renamed → folders synced, before the
manifest that names them.
"""

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import polars as pl

from neotoma_core.files.atomic import announce, folders_of, sync_together
from neotoma_core.files.private import make_folders
from neotoma_core.files.regular import CHUNK
from neotoma_core.sqlite.copies import sha256_of
from neotoma_core.vault.folder import BLOBS
from neotoma_core.vault.raw_files import (
    RAW_FILES,
    aside,
    copy_aside,
    copy_verified,
    make_raw_folders,
)

_PREFIX: Final = 2
_LEVELS: Final = 2  # of folders that may be new: one for each prefix, and the one with them
_DIGEST: Final = re.compile(r"[0-9a-f]{64}(\.midden\.tmp)?")


def digest_of(name: str) -> str:
    """Return the hash in the name of a raw file, ``<user id>/<sha256>``."""
    return name.rpartition("/")[2]


def blob_path(vault: Path, digest: str) -> Path:
    """Return where the bytes with a hash are, or would be."""
    return vault / BLOBS / digest[:_PREFIX] / digest


def add_blobs(vault: Path, folder: Path, names: Iterable[str]) -> tuple[dict[str, int], list[str]]:
    """Keep the named raw files of a folder; return their sizes, and the names of damaged ones.

    What is there already stays, unless its bytes are no longer what its name says.
    """
    sizes: dict[str, int] = {}
    damaged: list[str] = []
    written: list[Path] = []
    for name in names:
        blob = blob_path(vault, digest_of(name))
        if blob.exists() and not any(find_damaged_blobs(vault, [blob.name])):
            sizes[name] = blob.stat().st_size
            continue
        make_folders(blob.parent)
        size = copy_aside(f"{folder}/{name}", str(blob))
        if size is None:
            damaged.append(name)
        else:
            sizes[name] = size
            written.append(blob)
    if written:
        _install(list(dict.fromkeys(written)))
    return sizes, damaged


def _install(blobs: Sequence[Path]) -> None:
    """Give copies that are aside their names, once their bytes are on the disk."""
    announce("temp_written")
    copies = [Path(aside(str(blob))) for blob in blobs]
    sync_together(copies, ())
    announce("temp_synced", copies[0])
    for copy, blob in zip(copies, blobs, strict=True):
        copy.rename(blob)
    announce("renamed")
    sync_together((), folders_of(blobs, _LEVELS))
    announce("folder_synced")


def blob_sizes(vault: Path, names: Iterable[str]) -> dict[str, int]:
    """Return the sizes of those of the named raw files that the vault has, unread."""
    if not (vault / BLOBS).is_dir():
        return {}
    found = {name: blob_path(vault, digest_of(name)) for name in names}
    return {name: blob.stat().st_size for name, blob in found.items() if blob.is_file()}


def restore_blobs(vault: Path, names: Iterable[str], folder: Path) -> tuple[int, list[str]]:
    """Copy the named raw files into a folder; return how many, and the names that are lost.

    What is there already under its name stays.
    """
    copied: list[Path] = []
    lost: list[str] = []
    absent = [name for name in names if not (folder / name).exists()]
    above = make_raw_folders(folder, absent)
    for name in absent:
        place = folder / name
        blob = blob_path(vault, digest_of(name))
        if copy_verified(str(blob), str(place), above) is None:
            lost.append(name)
        else:
            copied.append(place)
    sync_together(copied, folders_of(copied, _LEVELS))
    return len(copied), lost


def link_blobs(vault: Path, names: Iterable[str], folder: Path) -> None:
    """Make a folder of raw files in a scratch folder: links to the blobs that are there."""
    for name in names:
        blob = blob_path(vault, digest_of(name))
        place = folder / name
        if blob.is_file() and not place.is_symlink():
            make_folders(place.parent)
            place.symlink_to(blob.absolute())


def list_blobs(vault: Path, names: Iterable[str]) -> pl.DataFrame:
    """Return the named raw files that the vault has, hashed: the rows of ``list_raw_files``."""
    rows = [
        (name, size, sha256_of(blob_path(vault, digest_of(name))))
        for name, size in blob_sizes(vault, names).items()
    ]
    listed = [(name, size, found, found != digest_of(name)) for name, size, found in rows]
    return pl.DataFrame(listed, schema=RAW_FILES, orient="row")


def blob_folder(vault: Path) -> Path:
    """Return the folder that holds the blobs of a vault."""
    return vault / BLOBS


def find_damaged_blobs(vault: Path, digests: Iterable[str]) -> Iterator[str]:
    """Yield the hashes whose bytes are missing or are others."""
    for expected in digests:
        digest = hashlib.sha256()
        try:
            with blob_path(vault, expected).open("rb", buffering=0) as file:
                while block := file.read(CHUNK):
                    digest.update(block)
        except OSError:
            yield expected
            continue
        if digest.hexdigest() != expected:
            yield expected


def remove_blobs(vault: Path, wanted: Collection[str]) -> tuple[int, int]:
    """Remove all but the wanted hashes; return how many went, and their bytes.

    Only files that are called as blobs are, or as copies that a killed run left aside, in folders
    of the vault's own: what is behind a link is not the vault's.
    """
    removed = size = 0
    for path in sorted((vault / BLOBS).glob("*/*")):
        own = _DIGEST.fullmatch(path.name) and path.parent.name == path.name[:_PREFIX]
        led_out = any(p.is_symlink() for p in (path, path.parent, path.parent.parent))
        if own and not led_out and path.is_file() and path.name not in wanted:
            size += path.stat().st_size
            path.unlink()
            removed += 1
    return removed, size


def list_kept_blobs(vault: Path) -> Iterator[tuple[str, Path]]:
    """Yield the hash and the place of every blob, copies that a killed run left aside included."""
    for path in sorted((vault / BLOBS).glob("*/*")):
        if _DIGEST.fullmatch(path.name) and not path.is_symlink():
            yield path.name.partition(".")[0], path
