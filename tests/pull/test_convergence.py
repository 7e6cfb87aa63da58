"""Two machines do what people and agents do, in any order, and end with the same log and state."""

import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from neotoma_core.erasure.erase import erase
from neotoma_core.erasure.request import EraseRequest, erase_run
from neotoma_core.report.progress import Silent
from tests.pull.test_pull import as_rows, exchange
from tests.support.databases import USER, entity, make_database, observation, source
from tests.support.merging_entities import merge_entities
from tests.support.remotes import Machine, memory_url

ENTITIES = 6
SEEDS = 30
SAMPLE = 2


def two_machines(folder: Path) -> tuple[Machine, Machine]:
    one = make_database(
        folder / "one" / "neotoma.db",
        {
            "entities": [entity(f"e{n}") for n in range(ENTITIES)],
            "observations": [observation(f"o{n}", f"e{n % ENTITIES}") for n in range(12)],
            "sources": [source("s1")],
            "entity_merges": [],
        },
    )
    (folder / "other").mkdir()
    other = folder / "other" / "neotoma.db"
    shutil.copyfile(one, other)
    url = memory_url()
    first = Machine(folder / "one", url, one)
    first.add()
    second = Machine(folder / "other", url, other, first.identities)
    second.add()
    first.push()
    second.push()
    return first, second


def act(chance: random.Random, machine: Machine, name: str) -> None:
    """Do one thing: observe, also at an earlier time, correct, rename, merge, or erase."""
    action = chance.choice(["observe", "observe", "correct", "rename", "merge", "erase"])
    one, other = (f"e{chance.randrange(ENTITIES)}" for _ in range(2))
    living = alive(machine.database)
    if action == "observe":
        at = f"2026-0{chance.randrange(1, 9)}-01T00:00:00.000Z"
        machine.add_row("observations", observation(f"o-{name}", one, observed_at=at))
    elif action == "correct":
        machine.add_row("observations", observation(f"c-{name}", one, source_priority=1000))
    elif action == "rename":
        machine.run("UPDATE entities SET canonical_name = ? WHERE id = ?", name, one)
    elif action == "merge" and one != other and {one, other} <= living:
        at = "2026-03-01T00:00:00.000Z"
        merge_entities(machine.database, one, other, f"m-{name}", at=at, user=USER)
    elif action == "erase" and one in living:
        asked = EraseRequest(machine.database, machine.vault, entities=(one,))
        with erase_run(asked, machine.tick()) as run:
            erase(run, lambda _: True, Silent())


def alive(database: Path) -> set[str]:
    with closing(sqlite3.connect(database)) as connection:
        query = "SELECT id FROM entities WHERE merged_to_entity_id IS NULL"
        return {name for (name,) in connection.execute(query)}


def test_machines_that_push_and_pull_end_alike(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    every = request.config.getoption("--every-failure")
    for seed in range(SEEDS if every else SAMPLE):
        chance = random.Random(seed)  # noqa: S311 - the same every time
        machines = two_machines(tmp_path / str(seed))
        for turn in range(2):
            for machine in machines:
                for number in range(chance.randrange(1, 4)):
                    act(chance, machine, f"{machine.folder.name}-{turn}-{number}")
            exchange(machines)
        states = [as_rows(machine.database) for machine in machines]
        assert states[0] == states[1], seed
