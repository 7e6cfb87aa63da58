"""A store in a folder: a network drive, an external disk.

Write order: temporary file written → synced → hard link under its name, which fails where the name
is taken → folder synced. Where the file system has no hard links, a lock and a rename do it.
No link inside the folder is followed, and a name never leads out of it.
"""

import errno
import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from typing import Final

from neotoma_core.errors import (
    DiskFull,
    MiddenError,
    ObjectMissing,
    RemoteDenied,
    RemoteError,
    reason_of,
)
from neotoma_core.files.repeating import repeating
from neotoma_core.stores.content import PIECE, continued, length_of, pieces
from neotoma_core.stores.names import TEMPORARY, Address, folder_of, require_name
from neotoma_core.stores.store import Content, StoredObject, StoreOptions, Told, untold

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_BELOW: Final = _FOLDER | os.O_NOFOLLOW
_PLAIN: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NO_LINKS: Final = (
    errno.EPERM,
    errno.EOPNOTSUPP,
    errno.ENOTSUP,
    errno.ENOSYS,
    errno.EMLINK,
    errno.EXDEV,
    errno.EINVAL,
)
_NO_SYNC: Final = (errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EBADF)
_LOCK: Final = "lock"
_ABANDONED: Final = 24 * 3600  # seconds after which a temporary file is nobody's


def open_folder(address: Address, _: StoreOptions) -> "LocalStore":
    """Open the folder of an address. Raises RemoteError where it is not there."""
    store = LocalStore(address.shown, Path(address.path))
    store.list()  # only to begin: whether the folder is there is asked now
    return store


class LocalStore:
    """See the module."""

    def __init__(self, url: str, root: Path) -> None:
        self._url = url
        self._root = root
        self._swept = False

    @property
    def url(self) -> str:
        """The address."""
        return self._url

    @property
    def ways(self) -> tuple[Callable[[str, bytes], bool], ...]:
        """How it creates."""
        return (self.create,)

    def create(self, name: str, content: Content, told: Told = untold) -> bool:
        """Create an object."""
        *folders, last = require_name(name).split("/")
        with self._named(name, DiskFull(self._root, whose="remote")), ExitStack() as opened:
            scratch = opened.enter_context(self._folder((TEMPORARY,), make=True))
            self._sweep(scratch)
            place = opened.enter_context(self._folder(tuple(folders), make=True))
            if _is_there(last, place):
                return False
            temporary = f"{token_hex(16)}.tmp"
            try:
                _write(scratch, temporary, content, told)
                made = _install(scratch, temporary, place, last)
            finally:
                with suppress(FileNotFoundError):
                    repeating(os.unlink)(temporary, dir_fd=scratch)
            _sync(place)
            return made

    def read(self, name: str) -> bytes:
        """Return an object."""
        with self._opened(name) as descriptor, os.fdopen(os.dup(descriptor), "rb") as file:
            return file.read()

    def download(self, name: str, to: Path, told: Told = untold) -> None:
        """Write an object to a file."""
        told(had := length_of(to))
        with self._opened(name) as descriptor:
            size = os.fstat(descriptor).st_size
            with continued(to, size) as (file, start):
                told(start - had)
                os.lseek(descriptor, start, os.SEEK_SET)
                while piece := os.read(descriptor, PIECE):
                    file.write(piece)
                    told(len(piece))

    def list(self, prefix: str = "", after: str = "") -> Iterator[StoredObject]:
        """Yield objects by name."""
        folder = folder_of(prefix)
        with self._named(folder):
            objects = [one for one in self._found(folder) if one.name > after]
        return iter(sorted(objects, key=lambda one: one.name))

    def delete(self, name: str) -> None:
        """Remove an object."""
        *folders, last = require_name(name).split("/")
        gone = suppress(FileNotFoundError)
        with self._named(name), gone, self._folder(tuple(folders)) as place:
            repeating(os.unlink)(last, dir_fd=place)
            _sync(place)

    def close(self) -> None:
        """Nothing is open."""

    @contextmanager
    def _opened(self, name: str) -> Iterator[int]:
        *folders, last = require_name(name).split("/")
        try:
            with self._named(name), self._folder(tuple(folders)) as place:
                descriptor = os.open(last, _PLAIN, dir_fd=place)
        except RemoteError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                raise ObjectMissing(self._url, name) from error
            raise
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise self._in_the_way(name)
            yield descriptor
        finally:
            os.close(descriptor)

    @contextmanager
    def _folder(self, folders: tuple[str, ...], *, make: bool = False) -> Iterator[int]:
        """Open a folder below the root, one step after the other."""
        place = self._open_root()
        try:
            for folder in folders:
                below = _step(place, folder, make=make)
                os.close(place)
                place = below
            yield place
        finally:
            os.close(place)

    def _open_root(self) -> int:
        try:
            return os.open(self._root, _FOLDER)
        except (FileNotFoundError, NotADirectoryError):
            pass
        raise RemoteError(
            self._url,
            "there is no such folder",
            "if it is on a disk, plug that in; if it is new, make the folder",
        )

    def _found(self, folder: str) -> Iterator[StoredObject]:
        try:
            with self._folder(tuple(folder.split("/")[:-1])) as place:
                yield from _objects(place, folder)
        except FileNotFoundError:
            return

    @contextmanager
    def _named(self, name: str, full: MiddenError | None = None) -> Iterator[None]:
        """Turn what the system says into an error of the store."""
        try:
            yield
        except OSError as error:
            if full is not None and error.errno in _FULL:
                raise full from error
            if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.EISDIR):
                raise self._in_the_way(name) from error
            where = f"{name}: " if name else ""
            wrong = f"{where}{reason_of(error)}"
            if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
                advice = "change the permissions of the folder and run again"
                raise RemoteDenied(self._url, wrong, advice) from error
            raise RemoteError(self._url, wrong, "look at the disk and run again") from error

    def _in_the_way(self, name: str) -> RemoteError:
        return RemoteError(
            self._url,
            f"{name}: a link, a folder or a file is in the way",
            "move it out of the remote's folder: midden did not put it there",
        )

    def _sweep(self, scratch: int) -> None:
        """Remove what writers left that were killed: by the clock of the disk itself."""
        if self._swept:
            return
        self._swept = True
        mark = f"{token_hex(16)}.tmp"
        os.close(os.open(mark, _NEW, 0o600, dir_fd=scratch))
        now = os.stat(mark, dir_fd=scratch, follow_symlinks=False).st_mtime
        os.unlink(mark, dir_fd=scratch)
        for name in os.listdir(scratch):
            with suppress(OSError):
                facts = os.stat(name, dir_fd=scratch, follow_symlinks=False)
                if name.endswith(".tmp") and facts.st_mtime < now - _ABANDONED:
                    os.unlink(name, dir_fd=scratch)


def _step(place: int, folder: str, *, make: bool) -> int:
    try:
        return os.open(folder, _BELOW, dir_fd=place)
    except FileNotFoundError:
        if not make:
            raise
    with suppress(FileExistsError):
        repeating(os.mkdir)(folder, 0o700, dir_fd=place)
        _sync(place)
    return os.open(folder, _BELOW, dir_fd=place)


def _is_there(name: str, place: int) -> bool:
    try:
        facts = os.stat(name, dir_fd=place, follow_symlinks=False)
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(facts.st_mode):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    return True


def _write(scratch: int, temporary: str, content: Content, told: Told) -> None:
    descriptor = os.open(temporary, _NEW, 0o600, dir_fd=scratch)
    with os.fdopen(descriptor, "wb") as file:
        with suppress(PermissionError):  # a file system without modes
            os.fchmod(descriptor, 0o600)
        for piece in pieces(content):
            told(len(piece))
            file.write(piece)
        file.flush()
        os.fsync(descriptor)


def _install(scratch: int, temporary: str, place: int, name: str) -> bool:
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
        if _is_there(name, place):
            return False
        repeating(os.rename)(temporary, name, src_dir_fd=scratch, dst_dir_fd=place)
    finally:
        os.close(lock)
    return True


def _sync(place: int) -> None:
    try:
        os.fsync(place)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise


def _objects(place: int, folder: str) -> Iterator[StoredObject]:
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
                    yield from _objects(descriptor, f"{folder}{name}/")
                finally:
                    os.close(descriptor)
