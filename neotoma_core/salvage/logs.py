"""What the write-ahead log of a database that is gone still holds of it (file format, 4)."""

import os
import struct
from pathlib import Path
from typing import BinaryIO, Final

from neotoma_core.files.headers import FRACTIONS, MAGIC, is_page_size

_MAGICS: Final = (0x377F0682, 0x377F0683)
_HEADER: Final = struct.Struct(">4I8s8s")  # magic, version, page size, number, salts, checksums
_FRAME: Final = struct.Struct(">2I8s8s")  # page, pages after a commit, salts, checksums
_MOST_BYTES: Final = 4 << 30
_FIRST_PAGE: Final = struct.Struct(">16sH2BB3s")
_NO_ROW: Final = bytes((13, 0, 0, 0, 0, 0, 0, 0))


def database_of_log(log: Path, copy: Path) -> bool:
    """Write the pages that a log has, as of its last commit, to a new file; return whether any.

    Pages that it lacks are empty, so the file is damaged: its rows have to be salvaged.
    """
    with log.open("rb") as file, copy.open("xb") as new:
        size = os.fstat(file.fileno()).st_size
        if size < _HEADER.size:
            return False
        magic, _, page_size, _, salts, _ = _HEADER.unpack(file.read(_HEADER.size))
        if magic not in _MAGICS or not is_page_size(page_size):
            return False
        frames = (size - _HEADER.size) // (_FRAME.size + page_size)
        committed, pages = _last_commit(file, page_size, salts, frames)
        if not committed or pages * page_size > _MOST_BYTES:
            return False
        _write_first(new, page_size)
        for number in range(committed):
            page, content = _frame(file, page_size, number)
            if 0 < page <= pages:
                new.seek((page - 1) * page_size)
                new.write(content)
        new.truncate(pages * page_size)
    return True


def _last_commit(file: BinaryIO, page_size: int, salts: bytes, frames: int) -> tuple[int, int]:
    """Return how many frames there are up to the last commit, and how many pages after it."""
    committed = pages = 0
    for number in range(frames):
        file.seek(_HEADER.size + number * (_FRAME.size + page_size))
        _, after, own, _ = _FRAME.unpack(file.read(_FRAME.size))
        if own != salts:  # of an earlier use of the log
            break
        if after:
            committed, pages = number + 1, after
    return committed, pages


def _frame(file: BinaryIO, page_size: int, number: int) -> tuple[int, bytes]:
    file.seek(_HEADER.size + number * (_FRAME.size + page_size))
    page, *_ = _FRAME.unpack(file.read(_FRAME.size))
    return page, file.read(page_size)


def _write_first(new: BinaryIO, page_size: int) -> None:
    """Write a first page without tables, for a log that does not have it."""
    said = 1 if page_size == 1 << 16 else page_size
    header = _FIRST_PAGE.pack(MAGIC, said, 1, 1, 0, FRACTIONS).ljust(100, b"\0")
    new.write((header + _NO_ROW).ljust(page_size, b"\0"))
