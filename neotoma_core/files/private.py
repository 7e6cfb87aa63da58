"""Files that are their owner's alone: 0600, and folders 0700, whoever writes them.

What libraries write gets its mode from the umask of the process, which is not ours to change: only
an entry point does. What an older midden or a user made may let others in.
"""

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

_FOLDER: Final = 0o700
_FILE: Final = 0o600
_given: list[int] = []


def keep_private() -> None:
    """From now on let all that this process creates be its owner's alone: for an entry point."""
    before = os.umask(0o077)
    if not _given:
        _given.append(before)


def as_started() -> None:
    """Put the umask back that the process was started with: for a program that takes its place."""
    if _given:
        os.umask(_given.pop())


def make_folders(folder: Path) -> None:
    """Make a folder and those on the way to it; those that are there stay as they are."""
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    for place in reversed(missing):
        place.mkdir(_FOLDER, exist_ok=True)


def make_private(folder: Path) -> None:
    """Take from everybody but its owner what a folder and all that is in it let them do.

    What is behind a link stays as it is, as does what belongs to another user.
    """
    for parent, _, files in os.walk(folder):
        _restrict(parent, _FOLDER)
        for name in files:
            _restrict(f"{parent}/{name}", _FILE)


def _restrict(path: str, mode: int) -> None:
    with suppress(FileNotFoundError, PermissionError):
        facts = os.lstat(path)
        if not stat.S_ISLNK(facts.st_mode) and stat.S_IMODE(facts.st_mode) != mode:
            Path(path).chmod(mode)


def fit_in(path: Path, above: os.stat_result) -> None:
    """Let whoever uses the folder ``above`` use what was put into it: by mode, owner and group.

    Never more than its owner may write. Where the owner cannot be given, they stay.
    """
    _fit(path, path.stat(), above)


def fit_file_in(descriptor: int, above: os.stat_result) -> None:
    """Do the same for a new file that is open."""
    _fit(descriptor, os.fstat(descriptor), above)


def _fit(place: Path | int, facts: os.stat_result, above: os.stat_result) -> None:
    most = 0o755 if stat.S_ISDIR(facts.st_mode) else 0o644
    os.chmod(place, above.st_mode & most)  # noqa: PTH101 - it may be a descriptor
    if (facts.st_uid, facts.st_gid) != (above.st_uid, above.st_gid):
        with suppress(PermissionError):
            os.chown(place, above.st_uid, above.st_gid)
