"""Whether a file is a Neotoma database, damaged or not, by the statements that made its tables."""

import mmap
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from neotoma_core.files.headers import LOG, companion
from neotoma_core.files.regular import open_regular

_SIGNS: Final = tuple(
    f"CREATE TABLE {name}".encode()
    for table in ("observations", "relationship_observations", "entity_snapshots")
    for name in (table, f'"{table}"')
)


def mentions_neotoma(path: Path) -> bool:
    """Return whether Neotoma's log is declared anywhere in a database's files, damaged or not."""
    return holds(path, _SIGNS) or holds(companion(path, LOG), _SIGNS)


def holds(path: Path, signs: Sequence[bytes]) -> bool:
    """Return whether a plain file is there and has any of some bytes anywhere."""
    with suppress(OSError), open_regular(path) as opened:
        if os.fstat(opened.fileno()).st_size:
            with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
                return any(mapped.find(sign) >= 0 for sign in signs)
    return False
