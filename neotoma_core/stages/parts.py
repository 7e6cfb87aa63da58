"""Parts: what one task of a job made, in one Arrow file, cut by which task reads it next.

A part is named by its stage and its number; it holds one batch of rows for each destination (a
bucket, a range) and, as metadata, facts about them, which are small frames.

Invariant: a part is there whole or not at all, and is announced once it is there. So a task may be
done again at any time, by anybody: a part that is there is what it would write, and is not written
again. A place is for one job.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import IO, Final

import polars as pl
import pyarrow as pa

from neotoma_core.files.exact_paths import frame_of_ipc, ipc_of
from neotoma_core.stages.places import Place

_SUFFIX: Final = ".part"
_PLAIN: Final = pl.CompatLevel.oldest()  # a batch holds its own text only, not that of others


@dataclass(frozen=True, slots=True)
class Made:
    """What a task makes: the rows of each destination, in order, and facts about them by name."""

    batches: Sequence[pl.DataFrame]
    facts: Mapping[str, pl.DataFrame]


@dataclass(frozen=True, slots=True)
class Part:
    """A part that is there: in which place, under which name, and how large in bytes."""

    place: Place
    name: str
    size: int

    def facts(self) -> dict[str, pl.DataFrame]:
        """Return the facts, by name."""
        with self.place.open(self.name, self.size) as file, pa.ipc.open_file(file) as opened:
            held = opened.schema.metadata or {}
        return {name.decode(): frame_of_ipc(raw) for name, raw in held.items()}

    def batch(self, number: int) -> pl.DataFrame:
        """Return the rows of one destination; no other batch is read."""
        with self.place.open(self.name, self.size) as file, pa.ipc.open_file(file) as opened:
            read = pa.Table.from_batches([opened.get_batch(number)])
        rows = pl.from_arrow(read.replace_schema_metadata(None))
        assert isinstance(rows, pl.DataFrame)  # noqa: S101 - a table is never a column
        return rows

    def remove(self) -> None:
        """Remove the part, once no task will read it."""
        self.place.remove(self.name)


def make_part(place: Place, stage: str, number: int, make: Callable[[], Made]) -> Part:
    """Return the part of a stage that has a number; ``make`` it where it is not there."""
    name = f"{stage}-{number:06}{_SUFFIX}"
    size = place.size_of(name)
    if size is None:
        size = place.write(name, partial(_write, make()))
    return Part(place, name, size)


def _write(made: Made, file: IO[bytes]) -> None:
    facts = {name: ipc_of(frame) for name, frame in made.facts.items()}
    schema = made.batches[0].clear().to_arrow(compat_level=_PLAIN).schema.with_metadata(facts)
    with pa.ipc.new_file(file, schema) as writer:
        for rows in made.batches:
            writer.write_batch(_one_batch(rows, schema))


def _one_batch(rows: pl.DataFrame, schema: pa.Schema) -> pa.RecordBatch:
    table = rows.rechunk().to_arrow(compat_level=_PLAIN).replace_schema_metadata(schema.metadata)
    batches = table.combine_chunks().to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=schema)
