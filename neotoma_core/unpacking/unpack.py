"""Taking databases, and the raw files next to them, out of compressed files and archives.

What is taken out lies in a private folder. Invariants: see ``packed``.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from neotoma_core.files.headers import WITH_ROWS, companion
from neotoma_core.neotoma.environments import RAW_FOLDERS, STORED_FILE
from neotoma_core.unpacking.budgets import CutShort, Limits
from neotoma_core.unpacking.packed import Entry, Packed
from neotoma_core.unpacking.walking import FoundFile, kind_of, speaks_of_neotoma

__all__ = ["Limits", "Unpacked", "unpack", "unpack_raw_files"]

_LOG_MAGICS: Final = (
    b"\x37\x7f\x06\x82",
    b"\x37\x7f\x06\x83",
    b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7",
)
_STORED: Final = re.compile(STORED_FILE)


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A database taken out: where it is now, and what it is called in the archive.

    ``member`` is empty for a compressed file that holds nothing else. ``raw_files``: the archive
    has raw files next to it. ``damage``: why it, or its log, is not all there, if so: then nothing
    vouches for the bytes that are. ``problem``: what is wrong with the archive; then ``path`` is
    None.
    """

    path: Path | None
    member: str
    problem: str = ""
    raw_files: bool = False
    damage: str = ""


def unpack(found: FoundFile, folder: Path, limits: Limits) -> Iterator[Unpacked]:
    """Yield every file in ``found`` that may be a database, unpacked below ``folder``.

    Its companions are unpacked next to it. An archive that is damaged or beyond the limits yields
    what could be read of it, and then the problem.
    """
    taken: list[_Taken] = []
    with_raw_files: set[str] = set()
    packed = Packed(found, folder, limits, _is_raw_file)
    with suppress(CutShort):  # it is among the problems
        for entry in packed.entries():
            raw = _raw_place(entry.member)
            if raw is not None:
                with_raw_files.add(raw[0])
            is_database = _may_be_database(entry)
            if is_database or entry.head.startswith(_LOG_MAGICS):
                place = folder / f"file-{len(taken)}"
                place.mkdir(mode=0o700)
                taken.append(_Taken(entry.member, place / entry.name, is_database))
                taken[-1].damage = entry.write(place / entry.name)
    for one in _with_logs(taken):
        raw_files = _folder_of(one.member) in with_raw_files
        yield Unpacked(one.path, one.member, raw_files=raw_files, damage=one.damage)
    if packed.problems:
        yield Unpacked(None, "", _say(packed.problems))


def unpack_raw_files(found: FoundFile, member: str, database: Path, limits: Limits) -> str:
    """Put the raw files that are next to ``member`` in an archive next to ``database``, unpacked.

    Return why not all of them could be, empty where they are. Their bytes are not proven yet.
    """
    home, folder = _folder_of(member), database.parent
    packed = Packed(found, folder, limits, _is_raw_file)
    with suppress(CutShort):  # it is among the problems
        for entry in packed.entries():
            place = _raw_place(entry.member)
            if place is None or place[0] != home:
                continue
            target = folder / place[1] / place[2]
            if not target.exists():
                target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                if entry.write(target):  # its name would say what its bytes no longer are
                    target.unlink()
    return _say(packed.problems)


def _say(problems: Iterable[str]) -> str:
    return "; ".join(problems)


@dataclass(slots=True)
class _Taken:
    """A file taken out of an archive: a database, or the log of one."""

    member: str
    path: Path
    is_database: bool
    damage: str = ""


def _may_be_database(entry: Entry) -> bool:
    kind = kind_of(entry.head)
    called = entry.member.rpartition("!")[2] or entry.name
    return kind == "sqlite" or (kind == "none" and speaks_of_neotoma(called))


def _with_logs(taken: list[_Taken]) -> Iterator[_Taken]:
    """Yield the databases once their logs are next to them."""
    databases = {one.member: one for one in taken if one.is_database}  # of two, the later
    for one in taken:
        for suffix in WITH_ROWS:
            owner = databases.get(one.member.removesuffix(suffix))
            if one.member.endswith(suffix) and owner is not None and one.path.exists():
                one.path.rename(companion(owner.path, suffix))
                owner.damage = owner.damage or one.damage
    yield from (one for one in taken if one.is_database and one.path.exists())


def _is_raw_file(name: str, _head: bytes) -> bool:
    return _raw_place(name) is not None


def _raw_place(member: str) -> tuple[str, str, str] | None:
    """Return the folder a raw file's folder is in, what that is called, and the file's name in it.

    None for what is not a raw file, or would lead out of its folder.
    """
    outer, within, parts = _parts(member)
    if parts[-3:-2] and parts[-3] in RAW_FOLDERS.values():
        name = "/".join(parts[-2:])
        if _STORED.fullmatch(name):
            return outer + within + "/".join(parts[:-3]), parts[-3], name
    return None


def _folder_of(member: str) -> str:
    outer, within, parts = _parts(member)
    return outer + within + "/".join(parts[:-1])


def _parts(member: str) -> tuple[str, str, list[str]]:
    outer, within, inner = member.replace("\\", "/").rpartition("!")
    return outer, within, inner.split("/")
