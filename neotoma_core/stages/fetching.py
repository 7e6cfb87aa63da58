"""Objects of a store as files of a worker, for as long as its tasks read them.

The pieces of a large file are read by tasks that follow each other. So the last few files stay, in
the folder that the worker has for such things: what a killed one leaves goes with it.
"""

import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from neotoma_core.errors import ObjectMissing
from neotoma_core.stages.places import OnStore

_KEPT: Final = 2

Known = tuple[OnStore, str]


@dataclass(slots=True)
class _Fetched:
    """The files that are here, by where they are from, the last that was read at the end."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    files: OrderedDict[Known, Path] = field(default_factory=OrderedDict)
    readers: dict[Path, int] = field(default_factory=dict)


_fetched: Final = _Fetched()


@contextmanager
def fetch(origin: OnStore, name: str) -> Iterator[Path]:
    """Yield a file with an object; a path with nothing at it where the store has no such object.

    Raises RemoteError and its kinds.
    """
    path = _begin(origin, name)
    try:
        yield path
    finally:
        _end(path)


def _begin(origin: OnStore, name: str) -> Path:
    with _fetched.lock:
        path = _fetched.files.get((origin, name))
        if path is None or not path.is_file():
            path = Path(tempfile.mkdtemp(prefix="midden-", dir=_scratch())) / "fetched"
            _fetched.files[origin, name] = path
            try:
                origin.store.download(name, path)
            except ObjectMissing:
                pass
            except BaseException:
                _drop(origin, name)
                raise
        _fetched.files.move_to_end((origin, name))
        _fetched.readers[path] = _fetched.readers.get(path, 0) + 1
        return path


def _end(path: Path) -> None:
    with _fetched.lock:
        _fetched.readers[path] -= 1
        for known, held in list(_fetched.files.items())[:-_KEPT]:
            if not _fetched.readers.get(held):
                _drop(*known)


def _drop(origin: OnStore, name: str) -> None:
    path = _fetched.files.pop((origin, name))
    _fetched.readers.pop(path, None)
    path.unlink(missing_ok=True)
    path.parent.rmdir()


def _scratch() -> str | None:
    """Return the folder of the worker that does the task; None for that of temporary files."""
    from distributed import get_worker  # noqa: PLC0415 - only there where workers are

    try:
        return str(get_worker().local_directory)
    except ValueError:
        return None
