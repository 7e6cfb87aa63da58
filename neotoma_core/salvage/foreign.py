"""Whether a file that is not a sound database of Neotoma's may be what is left of one.

What may be somebody else's is never replaced unasked: another program's database, an encrypted one,
a file of another kind.
"""

import math
from collections import Counter
from pathlib import Path
from typing import Final

from neotoma_core.salvage.declarations import holds, mentions_neotoma
from neotoma_core.unpacking.walking import kind_of, speaks_of_neotoma

_HEAD: Final = 64 << 10
_ANY_TABLE: Final = (b"CREATE TABLE ",)
_SECTOR: Final = 512  # encrypted databases have whole pages
_RANDOM: Final = 0.9  # of the 8 bits that a byte can tell
_APPLICATION: Final = slice(68, 72)  # in SQLite's header: the number of the program it belongs to
_HEADER: Final = 100
_DATABASE_NAMES: Final = (".db", ".sqlite", ".sqlite3", ".db3")


def foreign_because(path: Path) -> str:
    """Return why a file, which is only read, may be somebody else's; empty where it is a ruin."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if mentions_neotoma(path) or not head.strip(b"\0"):
        return ""
    kind = kind_of(head)
    called = path.name.lower()
    reasons = {
        "another program's SQLite database": holds(path, _ANY_TABLE)
        or (kind == "sqlite" and any(head[_APPLICATION])),
        f"a {kind} file, not a database": kind not in ("sqlite", "none"),
        "not readable as a SQLite database; it looks encrypted": not path.stat().st_size % _SECTOR
        and _looks_random(head[_HEADER:]),
        "not a database, and not named like one": kind == "none"
        and not (called.endswith(_DATABASE_NAMES) or speaks_of_neotoma(called)),
    }
    return next((reason for reason, applies in reasons.items() if applies), "")


def _looks_random(head: bytes) -> bool:
    """Return whether bytes tell as much as random ones would, which no page of SQLite's does."""
    entropy = -sum(n / len(head) * math.log2(n / len(head)) for n in Counter(head).values())
    return entropy > _RANDOM * 8
