"""Files of a local store, by open folders and names in them: no link is followed on the way."""

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from neotoma_core.files.repeating import repeating
from neotoma_core.stores.content import pieces
from neotoma_core.stores.names import TEMPORARY
from neotoma_core.stores.store import Content, StoredObject, Told

FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_BELOW: Final = FOLDER | os.O_NOFOLLOW
NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_LINKS: Final = (
    *(errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS),
    *(errno.EMLINK, errno.EXDEV, errno.EINVAL),
)
_NO_SYNC: Final = (errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EBADF)
_LOCK: Final = "lock"


def step(place: int, folder: str, *, make: bool) -> int:
    """Open a folder in an open one."""
    try:
        return os.open(folder, _BELOW, dir_fd=place)
    except FileNotFoundError:
        if not make:
            raise
    with suppress(FileExistsError):
        repeating(os.mkdir)(folder, 0o700, dir_fd=place)
        sync(place)
    return os.open(folder, _BELOW, dir_fd=place)


def is_there(name: str, place: int) -> bool:
    """Return whether a plain file has a name. Raises OSError where something else has it."""
    try:
        facts = os.stat(name, dir_fd=place, follow_symlinks=False)
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(facts.st_mode):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    return True


def write(scratch: int, temporary: str, content: Content, told: Told) -> None:
    """Write a private file, and force it to the disk."""
    descriptor = os.open(temporary, NEW, 0o600, dir_fd=scratch)
    with os.fdopen(descriptor, "wb") as file:
        with suppress(PermissionError):  # a file system without modes
            os.fchmod(descriptor, 0o600)
        for piece in pieces(content):
            told(len(piece))
            file.write(piece)
        file.flush()
        os.fsync(descriptor)


def give_name(scratch: int, temporary: str, place: int, name: str) -> bool:
    """Give a whole file its name; False where the name is taken."""
    try:
        repeating(os.link)(
            temporary, name, src_dir_fd=scratch, dst_dir_fd=place, follow_symlinks=False
        )
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
    else:
        return True
    return _install_locked(scratch, temporary, place, name)


def _install_locked(scratch: int, temporary: str, place: int, name: str) -> bool:
    """Do the same where there are no hard links: all writers rename under one lock."""
    lock = os.open(_LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600, dir_fd=scratch)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_there(name, place):
            return False
        repeating(os.rename)(temporary, name, src_dir_fd=scratch, dst_dir_fd=place)
    finally:
        os.close(lock)
    return True


def sync(place: int) -> None:
    """Force a folder's entries to the disk, where its file system can."""
    try:
        os.fsync(place)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise


def objects_in(place: int, folder: str) -> Iterator[StoredObject]:
    """Yield the plain files below an open folder, in no order."""
    below: list[str] = []
    with os.scandir(place) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                below.append(entry.name)
            elif entry.is_file(follow_symlinks=False):
                facts = entry.stat(follow_symlinks=False)
                modified = datetime.fromtimestamp(facts.st_mtime, UTC)
                yield StoredObject(folder + entry.name, facts.st_size, modified)
    for name in below:
        if folder or name != TEMPORARY:
            with suppress(FileNotFoundError):
                descriptor = os.open(name, _BELOW, dir_fd=place)
                try:
                    yield from objects_in(descriptor, f"{folder}{name}/")
                finally:
                    os.close(descriptor)
