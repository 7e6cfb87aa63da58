"""Small files that a user names or a folder holds: keys, settings, decisions, manifests."""

import errno
import os
from pathlib import Path
from typing import Final

from neotoma_core.files.regular import open_regular

_MOST_BYTES: Final = 256 << 20


def read_small(path: Path, most: int = _MOST_BYTES) -> bytes:
    """Return all that is in a plain file, never more than ``most`` bytes.

    Raises OSError, also for a device, pipe or socket, and for a larger file.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    with open_regular(path) as file:
        content = file.read(min(os.fstat(file.fileno()).st_size, most) + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"more than {most:,} bytes", str(path))
    return content
