"""What changed since a plan was made is not written, and nothing is read from it."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.agents import (
    HELD,
    Agent,
    World,
    rows,
    within,
)
from tests.support.databases import count, insert_all, make_database

pytestmark = pytest.mark.usefixtures("no_copy_is_lost")


def _row(path: Path) -> None:
    insert_all(path, rows(40, 41))


def _remove(path: Path) -> None:
    path.unlink()


def _cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 5000)


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _other(path: Path) -> None:
    path.unlink()
    make_database(path, rows(50, 60))


def _journal(path: Path) -> None:
    path.with_name(f"{path.name}-journal").write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" * 64)


def _change_row(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute('UPDATE observations SET fields = \'{"title":"other"}\'')


CHANGES = [_row, _remove, _cut, _empty, _other, _journal, _change_row]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
@pytest.mark.parametrize("what", ["target", "copy"])
def test_what_changed_since_the_plan_is_not_written_to_or_from(
    world: World, what: str, change: Callable[[Path], None]
) -> None:
    async def script(agent: Agent) -> Any:
        token = await agent.plan(world)
        change(getattr(world, what))
        held = world.target.read_bytes() if world.target.exists() else None
        answer = await agent.call("apply_recovery", plan=token)
        assert held == (world.target.read_bytes() if world.target.exists() else None)
        return answer

    answer = within(world, script, answer="yes")
    assert "error" in answer
    if what == "target":
        assert answer["error"]["code"] == "PLAN_CHANGED"


def test_a_row_in_the_log_of_the_target_is_a_change_too(world: World) -> None:
    with closing(sqlite3.connect(world.target)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")

    async def script(agent: Agent) -> Any:
        token = await agent.plan(world)
        with closing(sqlite3.connect(world.target)) as writer:
            with writer:
                writer.execute("UPDATE entities SET canonical_name = 'other'")
            return await agent.call("apply_recovery", plan=token)

    assert within(world, script, answer="yes")["error"]["code"] in ("PLAN_CHANGED", "TARGET_LOCKED")
    assert count(world.target, "observations") == HELD


def test_a_plan_for_a_database_that_is_gone_is_bound_to_its_absence(world: World) -> None:
    world.target.unlink()

    async def script(agent: Agent) -> Any:
        token = await agent.plan(world)
        make_database(world.target, rows(0, 1))
        return await agent.call("apply_recovery", plan=token)

    assert within(world, script, answer="yes")["error"]["code"] == "PLAN_CHANGED"
    assert count(world.target, "observations") == 1
