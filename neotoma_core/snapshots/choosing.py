"""Which rules a database is reduced by, and what tells that."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from neotoma_core.errors import UsageError
from neotoma_core.reduce.exact.rule_sets import KNOWN, R22, R22_MERGED, R23, RuleSet
from neotoma_core.words.nearest import nearest_named

if TYPE_CHECKING:
    from neotoma_core.neotoma.schemas import Registry

AUTO: Final = "auto"
NAMES: Final = (AUTO, *dict.fromkeys(rules.name for rules in KNOWN))
"""What ``--rules`` takes."""

_SEEDED: Final = ("submission_config", "peer_config")
"""Types that nothing but the start of Neotoma's server registers (format, 3.7)."""


@dataclass(frozen=True, slots=True)
class RulesChoice:
    """The rules to reduce by, and why those.

    ``others``: further known ones. ``accepts``: whether a stored row that those explain stays: it
    does unless the rules were named.
    """

    rules: RuleSet
    others: tuple[RuleSet, ...]
    accepts: bool
    why: str


def require_rules(asked: str) -> str:
    """Return the name of rules; raises UsageError where there are none of that name."""
    if asked in NAMES:
        return asked
    raise UsageError(
        f"--rules {asked}: no such rules{nearest_named(asked, NAMES)}; there are {', '.join(NAMES)}"
    )


def choose_rules(asked: str, names: Collection[str], registry: "Registry") -> RulesChoice:
    """Choose the rules.

    ``asked``: one of ``NAMES``. ``names``: of the tables and indexes of every database that takes
    part. Unless they are named: the newest released rules, except where the tables and indexes show
    that no Neotoma that has them ever opened any of these. Then, where a server of Neotoma has
    opened the database, as its recomputation reads; elsewhere as its merge does, since nothing else
    ever recomputed all.
    """
    from neotoma_core.neotoma.versions import (  # noqa: PLC0415 - the command line names rules only
        SETTLED,
        signs_of_newer,
    )

    served = all(registry.schema_for(name, None) is not None for name in _SEEDED)
    oldest = R22 if served else R22_MERGED
    if asked != AUTO:
        rules = oldest if asked == oldest.name else next(r for r in KNOWN if r.name == asked)
        return RulesChoice(rules, _others(rules), accepts=False, why="asked for")
    signs = signs_of_newer(names)
    if signs:
        why = f"a Neotoma later than {SETTLED} has opened it, since it has {signs[0]}"
        return RulesChoice(R23, _others(R23), accepts=True, why=why)
    why = f"it has nothing of a Neotoma later than {SETTLED}"
    return RulesChoice(oldest, _others(oldest), accepts=True, why=why)


def _others(rules: RuleSet) -> tuple[RuleSet, ...]:
    return tuple(other for other in KNOWN if other != rules)
