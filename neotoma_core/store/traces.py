"""Whether a file names any of some ids, whatever it is: a database, its log, a table, a report.

Compressed files are looked into. What cannot be read is taken to name them: nobody can tell that it
does not.
"""

import bz2
import gzip
import lzma
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import IO, Any, Final

import polars as pl
import zstandard

from neotoma_core.errors import NativePanic, without_panic
from neotoma_core.store.exact_paths import read_ipc, read_parquet

_CHUNK: Final = 8 << 20
_PLAIN: Final = 8  # an id of so many bytes is told by itself, a shorter one where it is quoted
_SQLITE: Final = b"SQLite format 3"  # which quotes nothing
_PARQUET: Final = b"PAR1"
_ARROW: Final = b"ARROW1"


def _zstd(path: Path) -> zstandard.ZstdDecompressionReader:
    decompressor = zstandard.ZstdDecompressor()
    return decompressor.stream_reader(path.open("rb"), read_across_frames=True)


_OPENERS: Final[tuple[tuple[bytes, Callable[[Path], Any]], ...]] = (
    (b"\x28\xb5\x2f\xfd", _zstd),
    (b"\x1f\x8b", gzip.open),
    (b"\xfd7zXZ", lzma.open),
    (b"BZh", bz2.open),
)


class Traces:
    """What to look for: ids, as they are in bytes."""

    def __init__(self, ids: Iterable[str]) -> None:
        names = sorted(name.encode("utf-8", "surrogatepass").decode("latin-1") for name in ids)
        short = [name for name in names if len(name) < _PLAIN]
        self._in_databases: Final = names
        quoted = [f"{mark}{name}{mark}" for name in short for mark in "\"'"]
        self._elsewhere: Final = [*(n for n in names if len(n) >= _PLAIN), *quoted]
        self._overlap: Final = max(map(len, (*names, *self._elsewhere)), default=1)

    def are_in(self, path: Path) -> bool:
        """Return whether a file names any of the ids."""
        try:
            with path.open("rb") as file:
                head = file.read(8)
            if head.startswith((_PARQUET, _ARROW)):
                return without_panic(str(path), lambda: self._in_table(path, head))
            opener = next((one for magic, one in _OPENERS if head.startswith(magic)), None)
            with closing(opener(path) if opener else path.open("rb")) as stream:
                return self._in_bytes(stream)
        except (OSError, EOFError, ValueError, lzma.LZMAError, zstandard.ZstdError):
            return True
        except (pl.exceptions.PolarsError, NativePanic):
            return True

    def _in_bytes(self, stream: IO[bytes]) -> bool:
        """Look at the bytes in parts that overlap, so that no id is cut."""
        kept, wanted = b"", None
        while block := stream.read(_CHUNK):
            if wanted is None:
                is_database = block.startswith(_SQLITE)
                wanted = self._in_databases if is_database else self._elsewhere
            kept += block
            if _any_in(pl.Series([kept.decode("latin-1")]), wanted):
                return True
            kept = kept[-self._overlap :]
        return False

    def _in_table(self, path: Path, head: bytes) -> bool:
        is_parquet = head.startswith(_PARQUET)
        rows = read_parquet(path) if is_parquet else read_ipc(path)
        texts = rows.select(pl.col(pl.String))
        cells = ('"' + column.drop_nulls() + '"' for column in texts.iter_columns())
        return any(_any_in(column, self._elsewhere) for column in cells)


def _any_in(texts: pl.Series, needles: Sequence[str]) -> bool:
    # Polars refuses to look for nothing, and what is refused counts as found.
    return bool(len(texts) and needles) and bool(texts.str.contains_any(list(needles)).any())
