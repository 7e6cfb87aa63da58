"""Whether a target can be written to at all, asked before anything is begun. Nothing is changed."""

import errno
import os
from pathlib import Path
from typing import Final

from neotoma_core.errors import TargetError
from neotoma_core.files.headers import follow
from neotoma_core.words.shell_words import quote_word

_READ_ONLY: Final = "mount the disk writable, or copy the database to another and name that"


def require_replaceable(target: Path) -> None:
    """Raise TargetError where neither the file nor what SQLite writes next to it can be written.

    Not while this process holds a lock on the target: closing the file drops it.
    """
    place = follow(target)
    folder = place.absolute().parent
    if not os.access(folder, os.W_OK | os.X_OK):
        wrong, advice = "its folder cannot be written to", f"chmod u+w {quote_word(folder)}"
        _refuse(target, folder, wrong, advice)
    try:
        os.close(os.open(place, os.O_RDWR | os.O_NONBLOCK))
    except FileNotFoundError:
        return
    except OSError as error:
        if error.errno == errno.EROFS:
            raise TargetError(target, "its disk is mounted read-only", _READ_ONLY) from error
        _refuse(target, place, "it cannot be written to", f"chmod u+w {quote_word(place)}")


def _refuse(target: Path, place: Path, wrong: str, advice: str) -> None:
    """Raise TargetError; for a place whose owner and mode allow what is refused, say what does."""
    if os.statvfs(place).f_flag & os.ST_RDONLY:
        raise TargetError(target, "its disk is mounted read-only", _READ_ONLY)
    facts = place.stat()
    owned = os.geteuid() in (0, facts.st_uid)
    if os.geteuid() == 0 or (owned and facts.st_mode & 0o200):
        wrong, advice = f"{wrong}: it is immutable", f"chattr -i {quote_word(place)}"
    elif not owned:
        advice = "run this as its owner"
    raise TargetError(target, wrong, f"{advice}, then run this again")
