"""Adding a database to ``midden.toml``: what somebody wrote there stays, byte for byte.

Lock → read → add at the end → read the new text as TOML: all that was there, and the database →
unchanged since? → written whole, the old file or the new one.
"""

import re
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final

from neotoma_core.errors import UsageError, reason_of
from neotoma_core.files.atomic import write_file
from neotoma_core.files.locking import exclusive
from neotoma_core.files.private import make_folders
from neotoma_core.files.small import read_small
from neotoma_core.settings.configuration import Configuration

_NAME: Final = re.compile(r"[A-Za-z0-9_-]+")
_FIRST: Final = "main"
_SHORT: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_PATIENCE_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class PlannedEntry:
    """A database that is to be added to ``file``, by its ``name``, as ``lines`` of TOML.

    Where it is there already, there are no lines.
    """

    file: Path
    name: str
    lines: str


def plan_entry(
    known: Configuration, target: Path, vault: Path | None, name: str | None = None
) -> PlannedEntry:
    """Return what names a database in the configuration; nothing is written.

    ``vault``: None for the default. ``name``: None for a free one. Raises UsageError for a name
    that another database has, and for paths that cannot stand in a text.
    """
    there = known.at(target)
    if there is not None:
        if name is not None and name != there.name:
            raise UsageError(f"{known.file}: {target} is there already, as {there.name}")
        return PlannedEntry(known.file, there.name, "")
    if name is not None and not _NAME.fullmatch(name):
        raise UsageError(f"--name {name}: not a name; use letters, digits, - and _")
    if name is not None and known.find(name) is not None:
        raise UsageError(f"--name {name}: another database has that name; choose another one")
    name = name or _free_name(known)
    lines = [f"[databases.{name}]", f"path = {_quote(target.absolute())}"]
    lines += [f"vault = {_quote(vault.absolute())}"] if vault else []
    return PlannedEntry(known.file, name, "".join(f"{line}\n" for line in lines))


def write_entry(planned: PlannedEntry) -> None:
    """Add an entry to its file, which is made where there is none. Raises UsageError."""
    file = planned.file.resolve()  # a link stays one
    try:
        make_folders(file.parent)
        lock = file.with_name(f".{file.name}.lock")
        with exclusive(lock, _PATIENCE_SECONDS, lambda: _refusal(planned, "in use by another run")):
            _write(file, planned)
            lock.unlink(missing_ok=True)
    except OSError as error:
        raise _refusal(planned, reason_of(error)) from error


def _write(file: Path, planned: PlannedEntry) -> None:
    before = _content(file)
    between = b"" if not before else b"\n" if before.endswith(b"\n") else b"\n\n"
    after = before + between + planned.lines.encode()
    _require_added(before, after, planned)
    mode = file.stat().st_mode & 0o777 if file.exists() else 0o600
    if _content(file) != before:
        raise _refusal(planned, "changed in the meantime")
    write_file(file, after, mode=mode)


def _content(file: Path) -> bytes:
    with suppress(FileNotFoundError):
        return read_small(file)
    return b""


def _require_added(before: bytes, after: bytes, planned: PlannedEntry) -> None:
    """Raise UsageError where the new text says anything but the old one and the new database."""
    try:
        old, new = _parse(before), _parse(after)
        added = new["databases"].pop(planned.name)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _refusal(planned, "lines cannot be added at its end") from None
    if not old.get("databases") and not new["databases"]:
        old.pop("databases", None)
        new.pop("databases")
    if new != old or added != tomllib.loads(planned.lines)["databases"][planned.name]:
        raise _refusal(planned, "lines cannot be added at its end")


def _parse(text: bytes) -> dict[str, Any]:
    return tomllib.loads(text.decode())


def _refusal(planned: PlannedEntry, wrong: str) -> UsageError:
    return UsageError(f"{planned.file}: {wrong}; add these lines yourself:\n{planned.lines}")


def _free_name(known: Configuration) -> str:
    return next(
        name
        for number in count(1)
        if known.find(name := _FIRST if number == 1 else f"{_FIRST}-{number}") is None
    )


def _quote(path: Path) -> str:
    """Return a path as a string of TOML; raises UsageError where it is not a text."""
    text = str(path)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UsageError(
            f"{path}: its name is not UTF-8, so it cannot stand in midden.toml; rename it"
        ) from None
    return '"' + "".join(_SHORT.get(c, c if c.isprintable() else _spell(c)) for c in text) + '"'


def _spell(character: str) -> str:
    return f"\\U{ord(character):08x}"
