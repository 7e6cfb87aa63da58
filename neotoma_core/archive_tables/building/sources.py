"""What of a table one task reads: several small files, or a piece of a large one. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from neotoma_core.archive_tables.reading import ArchivedFile

SOURCE_ROWS: Final = 131_072  # as many as one row group of a file that was appended
SOURCE_BYTES: Final = 16 << 20  # of Parquet
BUCKET_ROWS: Final = 125_000
BUCKET_BYTES: Final = 8 << 20  # of Parquet: about eight times as many in memory

Span = tuple[int, int]
"""The first row of a piece, and how many it has."""


@dataclass(frozen=True, slots=True)
class Source:
    """Whole files, or, with a ``span``, a piece of one."""

    files: tuple[ArchivedFile, ...]
    span: Span | None = None


def plan_sources(files: Sequence[ArchivedFile]) -> tuple[Source, ...]:
    """Cut the files of a table, in their order, into what one task reads."""
    return tuple(_sources(files))


def _sources(files: Sequence[ArchivedFile]) -> Iterator[Source]:
    filling: list[ArchivedFile] = []
    for file in files:
        held = [*filling, file]
        if filling and _is_too_much(held):
            yield Source(tuple(filling))
            filling, held = [], [file]
        if _is_too_much(held):
            yield from (Source((file,), span) for span in spans_of(file))
        else:
            filling = held
    if filling:
        yield Source(tuple(filling))


def is_large(file: ArchivedFile) -> bool:
    """Return whether a file is read in pieces."""
    return _is_too_much([file])


def spans_of(file: ArchivedFile) -> Iterator[Span]:
    """Yield the pieces in which a file is read."""
    pieces = max(1, -(-file.rows // SOURCE_ROWS), -(-file.size // SOURCE_BYTES))
    rows = max(1, -(-file.rows // pieces))
    yield from ((first, min(rows, file.rows - first)) for first in range(0, file.rows, rows))


def _is_too_much(files: Sequence[ArchivedFile]) -> bool:
    rows, size = sum(f.rows for f in files), sum(f.size for f in files)
    return rows > SOURCE_ROWS or (size > SOURCE_BYTES and rows > 0)


def count_buckets(files: Sequence[ArchivedFile]) -> int:
    """Return into how many buckets a table is cut: a power of two, so that each divides more."""
    rows, size = sum(f.rows for f in files), sum(f.size for f in files)
    wanted = max(1, -(-rows // BUCKET_ROWS), -(-size // BUCKET_BYTES))
    return 1 << (wanted - 1).bit_length()
