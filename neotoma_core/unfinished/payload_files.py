"""Reading the raw file of a payload, and nothing else that may have its name.

Only regular files are opened, never more than ``MOST_BYTES`` is read, and bytes whose SHA-256 is
not in the name are not taken for the payload.
"""

import hashlib
import os
import re
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal

from neotoma_core.neotoma.environments import STORED_FILE

MOST_BYTES: Final = 16 << 20

Unread = Literal["no-file", "too-large", "unreadable"]

_STORED: Final = re.compile(STORED_FILE)


def payload_file(folders: Sequence[Path], name: str) -> Path | None:
    """Return where a payload is: the first of the raw folders with something under its name."""
    parts = name.split("/")
    if not _STORED.fullmatch(name) or not {"", ".", ".."}.isdisjoint(parts):
        return None
    with suppress(ValueError):  # a NUL in the name, or half a character
        return next((path for path in (f / name for f in folders) if os.path.lexists(path)), None)
    return None


def read_payload(path: Path) -> bytes | Unread:
    """Return the bytes of a payload, or why they cannot be had."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return "unreadable"
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            facts = os.fstat(descriptor)
            if not stat.S_ISREG(facts.st_mode):  # something else took its place meanwhile
                return "unreadable"
            if facts.st_size > MOST_BYTES:
                return "too-large"
            content = file.read(facts.st_size)
    except FileNotFoundError:
        return "no-file"
    except OSError:
        return "unreadable"
    return content if hashlib.sha256(content).hexdigest() == path.name else "unreadable"
