"""Which rules snapshots were reduced by, why those, and what only that choice decides."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from neotoma_core.report.layout import label_line
from neotoma_core.snapshots.choosing import RulesChoice


@dataclass(frozen=True, slots=True)
class RulesUsed:
    """The rules of a run.

    ``name``: as ``--rules`` takes it; ``reads``: what else of them is to say. ``otherwise``: how
    many snapshots would differ by the rules of other releases. ``differing``: the entities of
    the first of these.
    """

    name: str
    reads: str
    why: str
    otherwise: Mapping[str, int]
    differing: tuple[str, ...]


def rules_used(
    choice: RulesChoice, otherwise: Mapping[str, int], differing: Iterable[str]
) -> RulesUsed:
    """Return what is to say of the rules that were chosen."""
    rules = choice.rules
    named = tuple(dict.fromkeys(differing))
    return RulesUsed(rules.name, rules.reads, choice.why, dict(sorted(otherwise.items())), named)


def rules_lines(rules: RulesUsed) -> Iterator[str]:
    """Yield the rules that were used and why, and how much depends on that."""
    reads = f", {rules.reads}" if rules.reads else ""
    yield label_line("rules", f"of {rules.name}{reads}: {rules.why}")
    alike: dict[int, list[str]] = {}
    for name, snapshots in rules.otherwise.items():
        alike.setdefault(snapshots, []).append(name)
    for snapshots, names in alike.items():
        by = " or ".join(names)
        yield label_line("", f"{snapshots:,} snapshots would differ by {by}; the report lists them")
