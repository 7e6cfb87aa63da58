"""How fast the vectorised reducer is, step by step.

Run by hand, from the repository: ``python -m tests.benchmarks.reduce_benchmark 100000 1000000``.
The observations are invented, in the shape of the incident: 0.6 entities an observation, more
than half of them with one observation only, seven fields, every merge strategy.
"""

import resource
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import polars as pl

from neotoma_core.neotoma.schemas import Converter, EntitySchema, FieldRule, Registry
from neotoma_core.reduce.entities import entities_of, read_in_order, reduce_entities
from neotoma_core.reduce.exact.rule_sets import R22
from neotoma_core.reduce.fields.assembly import assemble, canonical_names
from neotoma_core.reduce.fields.kept import keep_fields
from neotoma_core.reduce.fields.objects import take_apart
from neotoma_core.reduce.fields.ordering import slices
from neotoma_core.reduce.fields.values import field_values

SLICE_ROWS: Final = 150_000
STEPS: Final = ("rank", "explode", "values", "reduce", "assemble")
TYPES: Final = ("contact", "task", "conversation", "message", "transaction")
_MONDAY_MS: Final = 1_770_624_000_000


def registry() -> Registry:
    """Return one schema for all types: a field per strategy, converter and tie-breaker."""
    number = (Converter("string", "number", "string_to_number"),)
    rules = (
        FieldRule("name", "string", strategy="highest_priority"),
        FieldRule("status", "string"),
        FieldRule("amount", "number", number, "highest_priority", "source_priority"),
        FieldRule("tags", "array", strategy="merge_array"),
        FieldRule("assignee", "string", strategy="most_specific"),
        FieldRule("done", "boolean"),
        FieldRule("detail", "string"),
    )
    fields = {rule.name: rule for rule in rules}
    return Registry({(name, None): EntitySchema(name, "1.0.0", fields) for name in TYPES})


def invent(observations: int) -> pl.DataFrame:
    """Return so many observations in the shape of the incident, in random order."""
    number = pl.int_range(observations, dtype=pl.UInt64)
    noise = number.hash(seed=1)
    entity = pl.when(noise % 100 < 35).then(number).otherwise(noise % (observations // 4 + 1))
    kind = pl.lit(pl.Series(TYPES)).gather(entity.hash(seed=2) % len(TYPES))
    moment = (pl.lit(_MONDAY_MS) + (noise % 2_600_000_000).cast(pl.Int64)).cast(pl.Datetime("ms"))
    day = moment.dt.to_string("%Y-%m-%dT%H:%M:%S%.3fZ")
    fields = pl.format(
        '{{"name":"Name {}","status":"{}","amount":{}.5,"tags":["t{}","all"],"assignee":"Person {}"'
        ',"done":{},"detail":"what was said about it, at some length, in note {}"}}',
        entity,
        noise % 4,
        noise % 9_999,
        noise % 7,
        noise % 300,
        pl.when(noise % 2 == 0).then(pl.lit("true")).otherwise(pl.lit("false")),
        number,
    )
    return pl.select(
        id=pl.format("{}-{}", _hex(number, 3), _hex(number, 4)),
        entity_id=pl.format("ent_{}", _hex(entity, 5)),
        entity_type=kind,
        schema_version=pl.lit("1.0.0"),
        observed_at=day,
        specificity_score=pl.lit("1.0"),
        source_priority=pl.lit(pl.Series(["50", "100", "100", "100", "200", "1000"])).gather(
            noise % 6
        ),
        observation_source=pl.lit(pl.Series(["human", "sensor", "import", None])).gather(noise % 4),
        fields=fields,
        user_id=pl.lit("00000000-0000-0000-0000-000000000000"),
        created_at=day,
        _rowid=pl.int_range(pl.len()),
    ).sample(fraction=1, shuffle=True, seed=0)


def _hex(number: pl.Expr, seed: int) -> pl.Expr:
    """Return 16 hexadecimal digits that look random."""
    return (
        number.hash(seed=seed).reinterpret(signed=False).cast(pl.String).str.zfill(20).str.head(16)
    )


class Stopwatch:
    """Seconds spent in each step."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def measure(self, step: str) -> Iterator[None]:
        """Add the time spent inside to a step."""
        start = time.perf_counter()
        yield
        self.seconds[step] += time.perf_counter() - start


def measure_steps(observations: pl.DataFrame, schemas: Registry) -> Stopwatch:
    """Reduce slice by slice, one at a time, measuring every step."""
    watch = Stopwatch()
    with watch.measure("rank"):
        ordered = read_in_order(observations)
    for part in slices(ordered, SLICE_ROWS):
        with watch.measure("explode"):
            objects = take_apart(part.select("row", text="fields"))
        entities, rules = entities_of(part, schemas, R22)
        contested = pl.col("observation_count") > 1
        ruled = part.join(
            entities.select("group", "schema", contested=contested),
            on="group",
            maintain_order="left",
        )
        with watch.measure("values"):
            stated = field_values(
                ruled.select("row", "group", "source", "contested", "schema"),
                objects.exploded,
                rules.fields,
            )
        with watch.measure("reduce"):
            kept = keep_fields(stated.values, ruled, rules)
        with watch.measure("assemble"):
            assemble(kept, stated.keys)
            canonical_names(kept, stated.keys)
    return watch


def main(sizes: list[int]) -> None:
    """Print one line per size."""
    schemas = registry()
    reduce_entities(invent(1_000), schemas, R22)
    titles = ("observations", "entities", *STEPS, "whole", "obs/s", "peak MB")
    print("".join(f"{title:>13}" for title in titles))
    for size in sizes:
        observations = invent(size)
        start = time.perf_counter()
        reduction = reduce_entities(observations, schemas, R22)
        whole = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        watch = measure_steps(observations, schemas)
        steps = [f"{watch.seconds[step]:.2f}" for step in STEPS]
        entities = reduction.snapshots.height
        cells = (size, entities, *steps, f"{whole:.2f}", round(size / whole), peak)
        print("".join(f"{cell:>13}" for cell in cells))


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [6_300, 100_000, 1_000_000])
