"""What a vault knows to be erased, in a rebuild: rows of the log that count for nothing."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

import polars as pl

from neotoma_core.erased.hashed import ErasedIds
from neotoma_core.neotoma.tables import BY_NAME
from neotoma_core.report.findings import Finding
from neotoma_core.runs.commands import command_again

_REASON: Final = "erased"
_NO_NAME: Final = "(erased)"  # in the place of an id, where reports are kept
_LOG: Final = ("observations", "relationship_observations", "timeline_events")


class ErasedLog:
    """Leaves erased rows out of a log as its buckets are read, and remembers which they were.

    Buckets may be read by several threads. Nothing is looked at where nothing was ever erased.
    """

    def __init__(self, erased: ErasedIds) -> None:
        self._erased: Final = erased
        self._counts: Final[list[tuple[str, int]]] = []
        self._entities: Final = [pl.DataFrame(schema={"entity_id": pl.String})]

    def without_counting(self) -> "ErasedLog":
        """Return the same, for rows that are read a second time."""
        return ErasedLog(self._erased)

    def without(self, name: str, rows: pl.DataFrame) -> pl.DataFrame:
        """Return rows of a table of the log without the erased ones; other tables as they are."""
        if not self._erased or name not in _LOG or rows.is_empty():
            return rows
        gone = self._erased.rows_in(name, rows)
        if not gone.any():
            return rows
        self._counts.append((name, int(gone.sum())))
        if name == "observations":
            self._entities.append(rows.filter(gone).select("entity_id"))
        return rows.filter(~gone)

    def reasons(self, name: str, existing: pl.DataFrame) -> pl.DataFrame:
        """Return (key, reason) of the stored snapshots that are of something erased."""
        (key,) = BY_NAME[name].key
        if not self._erased or existing.is_empty():
            return pl.DataFrame(schema={key: pl.String, "reason": pl.String})
        gone = existing.filter(self._erased.rows_in(name, existing)).drop_nulls(key)
        return gone.select(key, reason=pl.lit(_REASON))

    def losing(self) -> pl.DataFrame:
        """Return ``entity_id`` of the entities that have erased observations."""
        return pl.concat(self._entities)

    def findings(self) -> Iterator[Finding]:
        """Yield how many rows of each table were left out."""
        rows: Counter[str] = Counter()
        for name, number in self._counts:
            rows[name] += number
        for name, number in sorted(rows.items()):
            yield finding_of_erased(name, number)


def without_names(drift: pl.DataFrame) -> pl.DataFrame:
    """Return ``DRIFT`` in which nothing erased is called by its id: reports are kept."""
    named = pl.when(pl.col("reason").eq_missing(_REASON)).then(pl.lit(_NO_NAME)).otherwise("key")
    return drift.with_columns(key=named)


def finding_of_erased(table: str, rows: int) -> Finding:
    """Return the finding of erased rows that the target has again."""
    again = command_again("erase", "--again")
    detail = f"{rows:,} rows are of what was erased; to remove them: {again}"
    return Finding("erased-in-target", table, detail)
