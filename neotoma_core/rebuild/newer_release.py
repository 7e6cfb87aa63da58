"""What a Neotoma that is newer than the known ones has put into a database."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from neotoma_core.errors import TargetError
from neotoma_core.neotoma.converters import CONVERTERS
from neotoma_core.neotoma.schemas import Registry
from neotoma_core.neotoma.tables import BY_NAME, kind_of
from neotoma_core.neotoma.tables.carried import LEGACY, fold_case, make_printable
from neotoma_core.reduce.exact.rule_sets import KNOWN
from neotoma_core.report.findings import Finding
from neotoma_core.sqlite.inspection import StoredObject, StoredTable

_SHOWN: Final = 10
_STRATEGIES: Final = frozenset().union(*(rules.strategies for rules in KNOWN))
_CUT_OVER: Final = "entity_lifecycle_cutovers"
"""Has a row for every user whose entities' visibility follows from their lifecycle (delta, D)."""


def newer_release(
    subject: str,
    tables: Iterable[StoredTable],
    others: Iterable[StoredObject],
    registry: Registry,
) -> Iterator[Finding]:
    """Yield a finding where a database has what no known release has; ``subject``: which."""
    unknown = [*_unknown_tables(tables), *_unknown_triggers(others), *_unknown_rules(registry)]
    if unknown:
        more = f" and {len(unknown) - _SHOWN:,} more" if len(unknown) > _SHOWN else ""
        detail = (
            "this database was written by a Neotoma newer than midden knows "
            f"({', '.join(unknown[:_SHOWN])}{more}); recomputed snapshots may differ"
        )
        yield Finding("newer-release", subject, detail)


def require_no_cutover(
    target: Path, tables: Mapping[str, StoredTable], what: str, *, rewrites: bool
) -> None:
    """Raise TargetError where the target's own triggers and counts forbid a change of its log.

    ``what`` is to be done; ``rewrites``: it changes or removes rows, which its triggers refuse, and
    does not only add some. Since the cut-over the target counts the observations of every entity
    and refuses to say anything of one whose count is another.
    """
    if _CUT_OVER in tables and (rewrites or tables[_CUT_OVER].rows):
        raise TargetError(
            target,
            f"its entities have a lifecycle of their own, which {what} would break: Neotoma would "
            "refuse to read them",
            "restore a whole backup of it, or wait for a midden that knows that release",
        )


def _unknown_tables(tables: Iterable[StoredTable]) -> Iterator[str]:
    for table in tables:
        known = BY_NAME.get(table.name)
        if known is None and kind_of(table.name) is None and fold_case(table.name) not in LEGACY:
            yield f"table {make_printable(table.name)}"
        elif known is not None:
            new = set(table.columns).difference(known.names)
            yield from (f"column {table.name}.{make_printable(name)}" for name in sorted(new))


def _unknown_triggers(others: Iterable[StoredObject]) -> Iterator[str]:
    yield from (f"trigger {make_printable(one.name)}" for one in others if one.what == "a trigger")


def _unknown_rules(registry: Registry) -> Iterator[str]:
    rules = [rule for schema in registry.schemas.values() for rule in schema.fields.values()]
    strategies = {rule.strategy for rule in rules} - _STRATEGIES
    functions = {one.function for rule in rules for one in rule.converters} - {*CONVERTERS, ""}
    yield from (f"strategy {make_printable(name)}" for name in sorted(strategies))
    yield from (f"converter {make_printable(name)}" for name in sorted(functions))
