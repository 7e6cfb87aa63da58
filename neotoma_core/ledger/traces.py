"""Whether a file names any of some ids, whatever it is: a database, its log, a table, a report.

Compressed files are looked into. What cannot be read is taken to name them: nobody can tell that it
does not.
"""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path
from typing import IO, Final

import polars as pl

from neotoma_core.errors import NativePanic, without_panic
from neotoma_core.files.exact_paths import read_ipc, read_parquet
from neotoma_core.neotoma.json import stringify
from neotoma_core.report.layout import escape_name
from neotoma_core.unpacking.budgets import Budget, CutShort, Limits
from neotoma_core.unpacking.streams import FORMATS, Decompressing, Reader

_CHUNK: Final = 8 << 20
_PLAIN: Final = 8  # an id this long is searched for as it is, a shorter one only in quotes
_UNQUOTED: Final = (  # a database, its log, its journal: in these nothing is quoted
    b"SQLite format 3",
    b"\x37\x7f\x06\x82",
    b"\x37\x7f\x06\x83",
    b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7",
)
_PARQUET: Final = b"PAR1"
_ARROW: Final = b"ARROW1"
_QUOTES: Final = ('""', "''", "><")
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_LIMITS: Final = Limits(ratio=1 << 20)


class Traces:
    """What to look for: ids, as they are in bytes."""

    def __init__(self, ids: Iterable[str]) -> None:
        names = sorted({form for name in ids for form in _forms(name)})
        quoted = [
            one
            for name in names
            for one in (
                [name]
                if len(name) >= _PLAIN
                else [f"{left}{name}{right}" for left, right in _QUOTES]
            )
        ]
        self._in_databases: Final = [*map(_as_bytes, names)]
        self._elsewhere: Final = [*map(_as_bytes, quoted)]
        self._in_cells: Final = quoted
        self._overlap: Final = max(map(len, (*self._in_databases, *self._elsewhere)), default=1)

    def are_in(self, path: Path) -> bool:
        """Return whether a file names any of the ids."""
        try:
            with path.open("rb") as file:
                head = file.read(8)
            if head.startswith((_PARQUET, _ARROW)):
                return without_panic(str(path), lambda: self._in_table(path, head))
            return head.startswith(_ZIP) or self._in_file(path, head)
        except (OSError, ValueError, CutShort, pl.exceptions.PolarsError, NativePanic):
            return True

    def _in_file(self, path: Path, head: bytes) -> bool:
        """Look at the bytes of a file, decompressed; what is left unread of them may name any."""
        form = next((form for form in FORMATS.values() if head.startswith(form.magic)), None)
        with path.open("rb") as file:
            if form is None:
                return self._in_bytes(file)
            packed = Budget(_LIMITS, path.stat().st_size, path.parent)
            stream = Decompressing(file, form, packed)
            return self._in_bytes(stream) or bool(stream.problem or stream.remark)

    def _in_bytes(self, stream: IO[bytes] | Reader) -> bool:
        """Look at the bytes in parts that overlap, so that no id is cut."""
        kept, wanted = b"", None
        while block := stream.read(_CHUNK):
            if wanted is None:
                is_unquoted = block.startswith(_UNQUOTED)
                wanted = self._in_databases if is_unquoted else self._elsewhere
            kept += block
            if _any_in(pl.Series([kept.decode("latin-1")]), wanted):
                return True
            kept = kept[-self._overlap :]
        return False

    def _in_table(self, path: Path, head: bytes) -> bool:
        is_parquet = head.startswith(_PARQUET)
        rows = read_parquet(path) if is_parquet else read_ipc(path)
        return any(_any_in(_quote(column), self._in_cells) for column in rows.iter_columns())


def _forms(name: str) -> Iterator[str]:
    """Yield an id as it is, and as it is written in JSON and on a page."""
    yield name
    yield stringify(name)[1:-1]
    yield escape(escape_name(name), quote=False)


def _as_bytes(text: str) -> str:
    """Return the bytes of a text in UTF-8, as characters."""
    return text.encode("utf-8", "surrogatepass").decode("latin-1")


def _quote(column: pl.Series) -> pl.Series:
    """Return the cells of a column as quoted text."""
    there = column.drop_nulls()
    if column.dtype == pl.Binary:
        return pl.Series(
            [f'"{cell.decode("utf-8", "replace")}"' for cell in there], dtype=pl.String
        )
    if column.dtype.is_nested():
        return pl.Series(there.to_frame().write_ndjson().splitlines(), dtype=pl.String)
    return '"' + there.cast(pl.String) + '"'


def _any_in(texts: pl.Series, needles: Sequence[str]) -> bool:
    # Polars refuses to look for nothing, and what is refused counts as found.
    return bool(len(texts) and needles) and bool(texts.str.contains_any(list(needles)).any())
