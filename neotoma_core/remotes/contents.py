"""Bringing contents back from a remote: downloaded, opened, and what their hash says.

A download that broke off is continued where it ended. A content has its name only once its bytes
have the hash that its entry says.
"""

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from neotoma_core.errors import IdentityWrong, ObjectMissing, RemoteDamaged
from neotoma_core.files.private import make_folders
from neotoma_core.remotes.models import Content
from neotoma_core.remotes.names import blob_name
from neotoma_core.remotes.remote import Remote
from neotoma_core.report.progress import Moving, Progress
from neotoma_core.sqlite.copies import sha256_of
from neotoma_core.stores.many import do_at_once

_AT_ONCE: Final = 8
_SEALED: Final = ".sealed"
_OPENED: Final = ".opened"
_COPIED: Final = ".copied"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A content that is wanted: what its object is called, and where it goes.

    ``kept``: where the object is looked for before it is downloaded; ``keeps``: and left for later.
    """

    content: Content
    name: str
    to: Path
    kept: Path | None = None
    keeps: bool = False


def blob(remote: Remote, content: Content, to: Path, renamed: Mapping[str, str]) -> Wanted:
    """Return the wish for a content among the blobs; ``renamed``: their other names."""
    name = blob_name(remote.sealing.name_of(content.sha256))
    return Wanted(content, renamed.get(name, name), to)


def fetch_all(remote: Remote, wanted: Iterable[Wanted], progress: Progress) -> None:
    """Bring contents, several at a time; those that are there already stay.

    Raises RemoteDamaged, IdentityMissing, IdentityWrong, and what a store raises; what was brought
    by then stays, and the rest is continued by the next call.
    """
    missing = list({one.to: one for one in wanted if not one.to.exists()}.values())
    progress.begin("download", sum(one.content.size for one in missing))
    for _ in do_at_once(lambda one: fetch_one(remote, one, progress), missing, _AT_ONCE):
        pass


def fetch_one(remote: Remote, wanted: Wanted, progress: Progress) -> None:
    """Bring one content, proven."""
    to = wanted.to
    moving = Moving(progress, wanted.content.size)
    sealed, opened = (to.with_name(to.name + ending) for ending in (_SEALED, _OPENED))
    make_folders(to.parent)
    opened.unlink(missing_ok=True)
    if not _open_kept(remote, wanted, opened):
        try:
            remote.store.download(wanted.name, sealed, moving.on_bytes)
        except ObjectMissing as error:
            raise _damage_of(remote, wanted, "is missing") from error
        try:
            remote.sealing.open_file(sealed, opened)
            if not is_content(opened, wanted.content):
                raise _damage_of(remote, wanted, "is not what was written")
        except RemoteDamaged:  # what was downloaded in two pieces may be of no object at all
            for path in (sealed, opened):
                path.unlink(missing_ok=True)
            raise
    if opened.is_symlink():  # to what is as it was written
        shutil.copyfile(opened, part := to.with_name(to.name + _COPIED))
        opened.unlink()
        part.rename(to)
    else:
        opened.rename(to)
    if wanted.keeps and wanted.kept is not None and sealed.exists():
        make_folders(wanted.kept.parent)
        sealed.replace(wanted.kept)
    sealed.unlink(missing_ok=True)
    moving.end()


def _open_kept(remote: Remote, wanted: Wanted, opened: Path) -> bool:
    """Open what is kept of an object; return whether it is the content. It stays if it is."""
    kept = wanted.kept
    if kept is None or not kept.is_file():
        return False
    try:
        remote.sealing.open_file(kept, opened)
        if is_content(opened, wanted.content):
            return True
    except (RemoteDamaged, IdentityWrong):  # the object itself tells
        pass
    for path in (kept, opened):
        path.unlink(missing_ok=True)
    return False


def is_content(path: Path, content: Content) -> bool:
    """Return whether a file holds a content."""
    return path.stat().st_size == content.size and sha256_of(path) == content.sha256


def count_needed_bytes(wanted: Sequence[Wanted]) -> int:
    """Return how many bytes contents take that are not there yet."""
    return sum(one.content.size for one in wanted if not one.to.exists())


def _damage_of(remote: Remote, wanted: Wanted, wrong: str) -> RemoteDamaged:
    advice = f"to look at all objects: midden verify --remote {remote.name}"
    return RemoteDamaged(remote.name, f"object {wanted.name} {wrong}", advice)
