"""Walking a tree for files that may be databases, by what their first bytes say.

Invariant: nothing is followed, opened for writing or left behind. Links are not followed; what is
not a plain file (a pipe, a socket, a device) is never opened.
"""

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from neotoma_core.errors import reason_of
from neotoma_core.files.headers import COMPANIONS, MAGIC, WITH_ROWS, database_of, may_be_sqlite

Kind = Literal["sqlite", "gzip", "zstd", "xz", "lzma", "bzip2", "zip", "tar", "none"]

_HEAD: Final = 512
_TAR_AT: Final = 257
_MAGICS: Final[tuple[tuple[bytes, Kind], ...]] = (
    (MAGIC, "sqlite"),
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"BZh", "bzip2"),
    (b"PK\x03\x04", "zip"),
)
_LZMA: Final = b"\x5d\x00\x00"
_LZMA_START: Final = 13  # its first bytes: how, how much memory, how many bytes come out
_ENDINGS: Final[tuple[tuple[str, Kind], ...]] = (
    (".gz", "gzip"),
    (".tgz", "gzip"),
    (".tar", "tar"),
    (".lzma", "lzma"),
    (".zst", "zstd"),
    (".xz", "xz"),
    (".bz2", "bzip2"),
    (".zip", "zip"),
)
_SKIPPED_NAMES: Final = frozenset(
    {
        "node_modules",
        "__pycache__",
        ".cache",
        ".git",
        ".npm",
        ".pnpm-store",
        ".yarn",
        ".cargo",
        ".rustup",
        ".gradle",
        ".m2",
        ".venv",
        "venv",
        ".tox",
        ".mypy_cache",
        ".ruff_cache",
        ".pytest_cache",
        "Caches",
        "DerivedData",
        "CacheStorage",
        "GPUCache",
    }
)
_ARCHIVE: Final = ("archive.json", "committed.json")
_PSEUDO: Final = ("/proc", "/sys", "/dev", "/run")
_TOLD_EVERY: Final = 500


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file that may hold a database. Size in bytes.

    ``kind``: what its first bytes are; ``none`` where only its name speaks of a database.
    """

    path: Path
    kind: Kind
    size: int
    mtime_ns: int


@dataclass(slots=True)
class Walked:
    """What a walk met: files seen, and folders and files that could not be read, with the reason.

    ``skipped``: folders left out by name or since they are not a real file system. ``described``:
    those that say that they are an archive of Midden. ``left``: logs and journals without their
    database.
    """

    files: int = 0
    folders: int = 0
    unreadable: list[tuple[Path, str]] = field(default_factory=list)
    skipped: int = 0
    described: list[Path] = field(default_factory=list)
    left: list[Path] = field(default_factory=list)


def walk(
    roots: Sequence[Path],
    walked: Walked,
    progress: Callable[[int], None],
    *,
    mounted: bool = False,
    leave_out: Sequence[Path] = (),
) -> Iterator[FoundFile]:
    """Yield the files below ``roots`` that may hold a database, each once, in order of their paths.

    ``mounted``: also enter other file systems. ``leave_out``: folders not to enter. Folders that
    may not be read are listed in ``walked``.
    """
    barred = frozenset(os.path.realpath(path) for path in leave_out)
    current = _Walk(walked, progress, barred, mounted)
    for root in roots:
        try:
            facts = root.stat()
        except OSError as error:
            walked.unreadable.append((root, reason_of(error)))
            continue
        if stat.S_ISDIR(facts.st_mode):
            yield from current.below(root, facts.st_dev)
        else:
            walked.files += 1
            yield from current.sniff(root.resolve() if root.is_symlink() else root)


@dataclass(frozen=True, slots=True)
class _Walk:
    """One walk, over all its roots."""

    walked: Walked
    progress: Callable[[int], None]
    barred: frozenset[str]
    mounted: bool
    seen: set[tuple[int, int]] = field(default_factory=set)

    def below(self, root: Path, device: int) -> Iterator[FoundFile]:
        """Yield what is in a folder and those below it."""
        waiting = [str(root)]
        while waiting:
            folder = waiting.pop()
            try:
                if not self._may_enter(folder, device):
                    continue
                with os.scandir(folder) as listing:
                    entries = sorted(listing, key=lambda entry: os.fsencode(entry.name))
            except OSError as error:
                self.walked.unreadable.append((Path(folder), reason_of(error)))
                continue
            self.walked.folders += 1
            below = []
            names = {entry.name for entry in entries}
            for entry in entries:
                kind = self._kind(entry)
                if kind == "folder":
                    below.append(entry.path)
                elif kind == "file":
                    self._count()
                    if entry.name in _ARCHIVE:
                        self.walked.described.append(Path(folder))
                    if not entry.name.endswith(COMPANIONS):
                        yield from self.sniff(Path(entry.path))
                    elif entry.name.endswith(WITH_ROWS) and _owner(entry.name) not in names:
                        self.walked.left.append(Path(entry.path))
            waiting.extend(reversed(below))

    def sniff(self, path: Path) -> Iterator[FoundFile]:
        """Yield the file where its first bytes or its name may be those of a database."""
        try:
            # Without waiting: what became a pipe since it was listed would never answer.
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
            try:
                facts = os.fstat(descriptor)
                place = (facts.st_dev, facts.st_ino)
                if not stat.S_ISREG(facts.st_mode) or place in self.seen:
                    return
                head = os.pread(descriptor, _HEAD, 0)
            finally:
                os.close(descriptor)
        except OSError as error:
            self.walked.unreadable.append((path, reason_of(error)))
            return
        kind = kind_of(head)
        kind = _kind_by_name(path.name) if kind == "none" else kind
        if kind != "none" or speaks_of_neotoma(path.name):
            self.seen.add(place)
            yield FoundFile(path, kind, facts.st_size, facts.st_mtime_ns)

    def _kind(self, entry: os.DirEntry[str]) -> Literal["folder", "file", "other"]:
        try:
            if entry.is_dir(follow_symlinks=False):
                return "folder"
            return "file" if entry.is_file(follow_symlinks=False) else "other"
        except OSError as error:  # where the disk's own listing does not say, it must be asked
            self.walked.unreadable.append((Path(entry.path), reason_of(error)))
            return "other"

    def _may_enter(self, folder: str, device: int) -> bool:
        facts = os.stat(folder)  # noqa: PTH116 - thousands of folders, each as a plain text
        place = (facts.st_dev, facts.st_ino)
        if place in self.seen:
            return False
        real = os.path.realpath(folder)
        named = os.path.basename(folder) in _SKIPPED_NAMES  # noqa: PTH119 - as above
        elsewhere = not self.mounted and facts.st_dev != device
        if named or elsewhere or real in self.barred or _is_pseudo(real):
            self.walked.skipped += 1
            return False
        self.seen.add(place)
        return True

    def _count(self) -> None:
        self.walked.files += 1
        if not self.walked.files % _TOLD_EVERY:
            self.progress(_TOLD_EVERY)


def _owner(name: str) -> str:
    return database_of(Path(name)).name


def _is_pseudo(real: str) -> bool:
    return any(real == place or real.startswith(f"{place}/") for place in _PSEUDO) and not (
        real.startswith(("/run/media", "/dev/shm"))  # noqa: S108 - real disks, real files
    )


def kind_of(head: bytes) -> Kind:
    """Return what a file is, by its first bytes."""
    for magic, kind in _MAGICS:
        if head.startswith(magic):
            return kind
    if head[_TAR_AT : _TAR_AT + 5] == b"ustar":
        return "tar"
    if may_be_sqlite(head):
        return "sqlite"
    return "lzma" if _is_lzma(head) else "none"


def _is_lzma(head: bytes) -> bool:
    """Return whether a file starts as one of the old format, which has no magic, mostly does."""
    size = head[5:_LZMA_START]
    plausible = size == b"\xff" * len(size) or not any(size[5:])
    return len(head) >= _LZMA_START and head.startswith(_LZMA) and plausible


def _kind_by_name(name: str) -> Kind:
    """Return what a file was that no longer starts as such, if it is called after Neotoma."""
    lowered = name.lower()
    if "neotoma" not in lowered:
        return "none"
    return next((kind for ending, kind in _ENDINGS if lowered.endswith(ending)), "none")


def speaks_of_neotoma(name: str) -> bool:
    """Return whether a file is called as Neotoma calls its databases, whatever is in it."""
    lowered = name.lower()
    return "neotoma" in lowered and ".db" in lowered and not lowered.endswith(COMPANIONS)


def outermost(paths: Sequence[Path]) -> list[Path]:
    """Return the paths in the order given, without those below an earlier or later one."""
    real = {path: path.resolve() for path in dict.fromkeys(paths)}
    kept: list[Path] = []
    for path, place in real.items():
        above = [other for other in real.values() if other != place and other in place.parents]
        if not above and place not in {real[other] for other in kept}:
            kept.append(path)
    return kept
