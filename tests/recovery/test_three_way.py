"""Databases that went their own ways, and a backup from before: against what really happened."""

import random
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from neotoma_core.merge.policy import MergePolicy
from neotoma_core.recovery.recover import recover
from neotoma_core.recovery.report import RecoveryReport
from neotoma_core.recovery.run.named import recovery_run
from neotoma_core.recovery.run.request import RecoverRequest
from neotoma_core.report.progress import Silent
from tests.conftest import NOW
from tests.support.databases import Row, entity, make_database, observation

ENTITIES = [f"e{number}" for number in range(300)]
BEFORE, AFTER = "2026-02-01T00:00:00.000Z", "2026-02-20T00:00:00.000Z"


@dataclass(frozen=True)
class History:
    """The name each entity had, was given on the one side, on the other, and should have now."""

    base: dict[str, str]
    here: dict[str, str]
    there: dict[str, str]
    truth: dict[str, str]
    contested: frozenset[str]


def invent_history(seed: int) -> History:
    """Rename some entities on either side, and a few on both, to the same or another name."""
    draw = random.Random(seed)  # noqa: S311 - an invented history
    base = {name: f"{name} as it was" for name in ENTITIES}
    here, there = dict(base), dict(base)
    for name in ENTITIES:
        match draw.choices(["none", "here", "there", "same", "both"], [50, 20, 20, 5, 5])[0]:
            case "here":
                here[name] = f"{name} from here"
            case "there":
                there[name] = f"{name} from there"
            case "same":
                here[name] = there[name] = f"{name} as both have it"
            case "both":
                here[name], there[name] = f"{name} from here", f"{name} from there"
    contested = {n for n in ENTITIES if len({base[n], here[n], there[n]}) == 3}
    truth = {n: there[n] if here[n] == base[n] else here[n] for n in ENTITIES}
    return History(base, here, there, truth, frozenset(contested))


def database(path: Path, names: dict[str, str], base: dict[str, str], observed: list[str]) -> Path:
    entities: list[Row] = [
        entity(e, canonical_name=name, updated_at=BEFORE if name == base[e] else AFTER)
        for e, name in names.items()
    ]
    return make_database(
        path, {"entities": entities, "observations": [observation(o) for o in observed]}
    )


def merge(folder: Path, history: History, policy: MergePolicy) -> tuple[Path, RecoveryReport]:
    """Merge the other side into this one; the backup from before comes along."""
    base = database(folder / "base.db", history.base, history.base, ["o0"])
    here = database(folder / "here.db", history.here, history.base, ["o0", "o1"])
    there = database(folder / "there.db", history.there, history.base, ["o0", "o2"])
    request = RecoverRequest(here, (base, there), folder / "vault", policy)
    with recovery_run(request, NOW) as run:
        return here, recover(run, lambda _: True, Silent())


def names_in(path: Path) -> dict[str, str]:
    with closing(sqlite3.connect(path)) as connection:
        return dict(connection.execute("SELECT id, canonical_name FROM entities").fetchall())


@pytest.mark.parametrize("seed", range(5))
def test_what_one_side_changed_is_taken_and_nothing_else_decided(seed: int, tmp_path: Path) -> None:
    history = invent_history(seed)
    target, report = merge(tmp_path, history, MergePolicy())
    assert names_in(target) == history.truth
    one_sided = {n for n in ENTITIES if history.here[n] != history.there[n]} - history.contested
    (counts,) = (c for c in report.tables if c.table == "entities" and c.backup == 1)
    assert counts.three_way == len(one_sided)
    assert counts.conflict == report.conflicts.undecided == len(history.contested)


def test_without_ancestors_every_difference_is_a_conflict(tmp_path: Path) -> None:
    history = invent_history(0)
    target, report = merge(tmp_path, history, MergePolicy(ancestors=False))
    assert names_in(target) == history.here
    assert report.conflicts.three_way == 0
