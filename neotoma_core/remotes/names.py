"""What the objects of a remote are called.

::

    midden.json                       what the remote is; made first, by whoever adds it
    log/<writer>/<number>             entries, in the order in which a writer made them
    backups/<writer>/<backup>/<name>  the files of one backup, called after their contents
    blobs/ab/<name>                   contents: rows of a log, raw files

No object is ever changed. Contents come first, the entry that names them last. So an object that no
entry names is what a push that was killed had shipped: the next one finds it there. A content whose
name is condemned (see ``condemned``) goes by a fresh one, and the entry that names it says which.
"""

import hashlib
import re
from typing import Final

from neotoma_core.remotes.models import BACKUPS, BLOBS, LOG

_DIGITS: Final = 8
_ENTRY: Final = re.compile(rf"{LOG}/([0-9a-f]{{16,64}})/(\d{{{_DIGITS}}})")
_PREFIX: Final = 2


def entry_name(writer: str, number: int) -> str:
    """Return the name of an entry; numbers begin at 1."""
    return f"{LOG}/{writer}/{number:0{_DIGITS}}"


def entry_place(name: str) -> tuple[str, int] | None:
    """Return the writer and the number of an entry; None where it is not called as one."""
    found = _ENTRY.fullmatch(name)
    return (found[1], int(found[2])) if found else None


def blob_name(sealed_name: str) -> str:
    """Return the name of a content, by what ``Sealing.name_of`` gives for it."""
    return f"{BLOBS}/{sealed_name[:_PREFIX]}/{sealed_name}"


def backup_folder(writer: str, backup: str) -> str:
    """Return what the names of the files of a backup begin with."""
    return f"{BACKUPS}/{writer}/{backup}/"


def fresh_name(name: str, number: int) -> str:
    """Return another name for a content than the one it should have; numbers begin at 1."""
    digest = hashlib.sha256(f"{name} {number}".encode()).hexdigest()
    if name.startswith(f"{BLOBS}/"):
        return blob_name(digest)
    return f"{name.rpartition('/')[0]}/{digest}"
