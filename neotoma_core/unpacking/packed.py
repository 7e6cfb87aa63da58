"""Reading the files in compressed files and archives, also in archives within them, within limits.

Invariant: nothing is written outside the folder given, whatever names an archive holds; no archive
makes a run write, read or unpack more than its limits allow; what is damaged is given as far as it
came out, and named.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

from neotoma_core.errors import is_panic, reason_of
from neotoma_core.files.regular import CHUNK, open_regular
from neotoma_core.unpacking.budgets import Budget, CutShort, Limits
from neotoma_core.unpacking.streams import FORMATS, Decompressing, Reader, Stored
from neotoma_core.unpacking.tars import Note, members_of
from neotoma_core.unpacking.walking import FoundFile, Kind, kind_of
from neotoma_core.unpacking.zips import files_of

_HEAD: Final = 512

Wanted = Callable[[str, bytes], bool]
"""Whether a file is wanted as it is, by its name in its archive and its first bytes."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file in an archive; it can be written out until the next one is asked for.

    ``member``: what it is called there, after ``!`` what it is called in an archive within; empty
    for a compressed file that holds nothing else. ``name``: its last part, safe as a file's name.
    ``head``: its first bytes.
    """

    member: str
    name: str
    head: bytes
    _rest: Reader
    _budget: Budget
    _note: Note

    def write(self, target: Path) -> str:
        """Write the file to ``target``, which must not be there yet.

        Return why it ended early, empty where it did not. Raises CutShort, which is among the
        problems of its archive then, and leaves nothing.
        """
        try:
            self._copy(target)
        except (CutShort, OSError) as error:
            target.unlink(missing_ok=True)
            cut = error if isinstance(error, CutShort) else CutShort(reason_of(error))
            self._note(str(cut))
            raise cut from error
        return self._rest.problem

    def _copy(self, target: Path) -> None:
        with target.open("xb") as file:
            block = self.head
            while block:
                self._budget.count_written(len(block))
                file.write(block)
                block = self._rest.read(CHUNK)


@dataclass(frozen=True, slots=True)
class Packed:
    """A compressed file or an archive, and a folder for archives within it.

    ``problems``: what is wrong with it, as far as it was read, each once.
    """

    found: FoundFile
    folder: Path
    limits: Limits
    wanted: Wanted
    problems: dict[str, None] = field(default_factory=dict)

    def entries(self) -> Iterator[Entry]:
        """Yield every file; archives within are put into the folder and looked into.

        A file that is ``wanted`` is not looked into, archive or not. Nothing is raised: whatever
        one file does ends its own reading, and is named.
        """
        budget = Budget(self.limits, self.found.size, self.folder)
        reading = _Reading(self.folder, budget, self.wanted, self._note)
        try:
            yield from reading.file(self.found.path, self.found.kind, "", self.limits.depth)
        except CutShort as cut:
            self._note(str(cut))
        except OSError as error:
            self._note(reason_of(error))
        except BaseException as error:
            if not isinstance(error, Exception) and not is_panic(error):
                raise
            self._note(f"it cannot be unpacked: {type(error).__name__}")

    def _note(self, problem: str) -> None:
        if problem:
            self.problems[problem] = None


@dataclass(frozen=True, slots=True)
class _Reading:
    """The reading of one outer file."""

    folder: Path
    budget: Budget
    wanted: Wanted
    note: Note

    def file(self, path: Path, kind: Kind, member: str, depth: int) -> Iterator[Entry]:
        """Yield what is in a compressed file or an archive; ``member``: what it is called."""
        with open_regular(path) as file:
            if kind == "zip":
                for one in files_of(file, self.budget, self.budget.entry, self.note):
                    yield from self._within(one.content, one.name, member, depth)
                return
            stream: Reader = Stored(file, self.budget)
            if kind != "tar":
                inner = kind_of(Decompressing(file, FORMATS[kind], self.budget).read(_HEAD))
                stream = Decompressing(file, FORMATS[kind], self.budget)
                if inner != "tar":
                    name = plain(_strip_suffix(member or path.name))
                    yield Entry(member, name, stream.read(_HEAD), stream, self.budget, self.note)
                    if "neotoma" in path.name.lower():  # what is damaged shows only at its end
                        while stream.read(CHUNK):
                            pass
                    self.note(stream.problem)
                    self.note(stream.remark)
                    return
            for one in members_of(stream, self.budget.entry, self.note):
                yield from self._within(one.content, one.name, member, depth)

    def _within(self, content: Reader, name: str, outer: str, depth: int) -> Iterator[Entry]:
        """Yield one file of an archive, or what is in it where that is an archive itself."""
        head = content.read(_HEAD)
        member = f"{outer}!{name}" if outer else name
        entry = Entry(member, plain(name), head, content, self.budget, self.note)
        kind = kind_of(head)
        if kind in ("none", "sqlite") or self.wanted(name, head):
            yield entry
        elif depth <= 1:
            self.note("archives nested deeper in it are not searched")
        else:
            place = self.folder / f"in-{sum(1 for _ in self.folder.iterdir())}"
            place.mkdir(mode=0o700)
            entry.write(place / entry.name)
            yield from self.file(place / entry.name, kind, member, depth - 1)
        self.note(content.problem)


def plain(name: str) -> str:
    """Return the last part of an archive's name: never a path, never empty, never too long."""
    last = PurePosixPath(name.replace("\\", "/").replace("\x00", "")).name
    shortened = last.encode(errors="surrogateescape")[-100:].decode(errors="surrogateescape")
    return shortened if last not in ("", ".", "..") else "database"


def _strip_suffix(name: str) -> str:
    for ending in (".gz", ".zst", ".xz", ".bz2", ".lzma"):
        if name.lower().endswith(ending):
            return name[: -len(ending)]
    return name
