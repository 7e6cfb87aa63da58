"""A store in a folder: a network drive, an external disk.

Write order: temporary file written → synced → hard link under its name, which fails where the name
is taken → folder synced. Where the file system has no hard links, a lock and a rename do it.
No link inside the folder is followed, and a name never leads out of it.
"""

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
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
from neotoma_core.stores.content import PIECE, continue_file, length_of, whole_piece
from neotoma_core.stores.local_files import (
    FOLDER,
    NEW,
    give_name,
    is_there,
    objects_in,
    step,
    sync,
    write,
)
from neotoma_core.stores.names import TEMPORARY, Address, folder_of, require_name
from neotoma_core.stores.store import Content, StoredObject, StoreOptions, Told, untold

_PLAIN: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
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
        with self._name_errors(name, DiskFull(self._root, whose="remote")), ExitStack() as opened:
            scratch = opened.enter_context(self._folder((TEMPORARY,), make=True))
            self._sweep(scratch)
            place = opened.enter_context(self._folder(tuple(folders), make=True))
            if is_there(last, place):
                return False
            temporary = f"{token_hex(16)}.tmp"
            try:
                write(scratch, temporary, content, told)
                made = give_name(scratch, temporary, place, last)
            finally:
                with suppress(FileNotFoundError):
                    repeating(os.unlink)(temporary, dir_fd=scratch)
            sync(place)
            return made

    def read(self, name: str) -> bytes:
        """Return an object."""
        with self._open(name) as descriptor, os.fdopen(os.dup(descriptor), "rb") as file:
            return file.read()

    def read_piece(self, name: str, start: int, size: int) -> bytes:
        """Return a piece of an object."""
        with self._open(name) as descriptor, os.fdopen(os.dup(descriptor), "rb") as file:
            file.seek(start)
            return whole_piece(self._url, name, file.read(size), size)

    def download(self, name: str, to: Path, told: Told = untold) -> None:
        """Write an object to a file."""
        told(had := length_of(to))
        with self._open(name) as descriptor:
            size = os.fstat(descriptor).st_size
            with continue_file(to, size) as (file, start):
                told(start - had)
                os.lseek(descriptor, start, os.SEEK_SET)
                while piece := os.read(descriptor, PIECE):
                    file.write(piece)
                    told(len(piece))

    def list(self, prefix: str = "", after: str = "") -> Iterator[StoredObject]:
        """Yield objects by name."""
        folder = folder_of(prefix)
        with self._name_errors(folder):
            objects = [one for one in self._find(folder) if one.name > after]
        return iter(sorted(objects, key=lambda one: one.name))

    def delete(self, name: str) -> None:
        """Remove an object."""
        *folders, last = require_name(name).split("/")
        gone = suppress(FileNotFoundError)
        with self._name_errors(name), gone, self._folder(tuple(folders)) as place:
            repeating(os.unlink)(last, dir_fd=place)
            sync(place)

    def close(self) -> None:
        """Nothing is open."""

    @contextmanager
    def _open(self, name: str) -> Iterator[int]:
        *folders, last = require_name(name).split("/")
        try:
            with self._name_errors(name), self._folder(tuple(folders)) as place:
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
                below = step(place, folder, make=make)
                os.close(place)
                place = below
            yield place
        finally:
            os.close(place)

    def _open_root(self) -> int:
        try:
            return os.open(self._root, FOLDER)
        except (FileNotFoundError, NotADirectoryError):
            pass
        raise RemoteError(
            self._url,
            "there is no such folder",
            "if it is on a disk, plug that in; if it is new, make the folder",
        )

    def _find(self, folder: str) -> Iterator[StoredObject]:
        try:
            with self._folder(tuple(folder.split("/")[:-1])) as place:
                yield from objects_in(place, folder)
        except FileNotFoundError:
            return

    @contextmanager
    def _name_errors(self, name: str, full: MiddenError | None = None) -> Iterator[None]:
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
                raise RemoteDenied(
                    self._url, wrong, "change its permissions and run again"
                ) from error
            raise RemoteError(self._url, wrong, "check the disk and run again") from error

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
        os.close(os.open(mark, NEW, 0o600, dir_fd=scratch))
        now = os.stat(mark, dir_fd=scratch, follow_symlinks=False).st_mtime
        os.unlink(mark, dir_fd=scratch)
        for name in os.listdir(scratch):
            with suppress(OSError):
                facts = os.stat(name, dir_fd=scratch, follow_symlinks=False)
                if name.endswith(".tmp") and facts.st_mtime < now - _ABANDONED:
                    os.unlink(name, dir_fd=scratch)
