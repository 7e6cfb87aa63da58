"""What changed since a plan was made is not written, and nothing is read from it."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from neotoma_core.agents.wire.server import build_server
from neotoma_core.vault.folder import AGENTS
from tests.support.agents import (
    HELD,
    LOST,
    Agent,
    World,
    play,
    rows,
    watch_for_changes,
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


def test_a_recovery_beside_a_server_that_reads_leaves_it_what_it_read(world: World) -> None:
    server = sqlite3.connect(world.target, isolation_level=None)
    with closing(server):
        server.execute("PRAGMA journal_mode = WAL")
        server.execute("BEGIN")
        asked = "SELECT count(*) FROM observations"
        assert server.execute(asked).fetchone() == (HELD,)

        async def script(agent: Agent) -> Any:
            return await agent.call("apply_recovery", plan=await agent.plan(world))

        done = within(world, script, answer="yes")
        assert server.execute(asked).fetchone() == (HELD,)
        server.execute("COMMIT")
        held = LOST if done.get("outcome") == "published" else HELD
        assert server.execute(asked).fetchone() == (held,)
        assert server.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert "outcome" in done or done["error"]["retryable"]


def test_a_plan_of_a_server_with_more_folders_is_not_for_one_with_fewer(world: World) -> None:
    wide = replace(world.scope(), folders=(world.folder,))
    twin = Path(shutil.copyfile(world.copy, world.outside.with_name("twin.db")))
    token = play(build_server(wide, "test"), lambda agent: agent.plan(world, copies=[str(twin)]))
    before = watch_for_changes(world)
    answer = within(world, lambda agent: agent.call("apply_recovery", plan=token), answer="yes")
    assert answer["error"]["code"] == "OUT_OF_SCOPE"
    assert before()


def test_a_copy_that_became_a_link_to_the_outside_is_not_read(world: World) -> None:
    async def script(agent: Agent) -> Any:
        token = await agent.plan(world)
        shutil.copyfile(world.copy, world.outside.with_name("twin.db"))
        world.copy.unlink()
        world.copy.symlink_to(world.outside.with_name("twin.db"))
        return await agent.call("apply_recovery", plan=token)

    before = watch_for_changes(world)
    assert within(world, script, answer="yes")["error"]["code"] == "OUT_OF_SCOPE"
    assert before()


def test_a_plan_made_before_the_database_was_declared_production_needs_an_approval(
    world: World,
) -> None:
    token = within(world, lambda agent: agent.plan(world))
    before = watch_for_changes(world)
    answer = within(
        world,
        lambda agent: agent.call("apply_recovery", plan=token),
        answer="yes",
        environment="production",
    )
    assert answer["outcome"] == "approval_needed"
    assert before()


def test_a_plan_whose_file_cannot_be_read_is_refused_in_words_of_our_own(world: World) -> None:
    async def script(agent: Agent) -> Any:
        token = await agent.plan(world)
        (file,) = (world.vault / AGENTS / "plans").iterdir()
        file.unlink()
        file.mkdir()
        answer = await agent.call("apply_recovery", plan=token)
        assert file.name not in "".join(agent.seen)
        return answer

    before = watch_for_changes(world)
    assert within(world, script, answer="yes")["error"]["code"] == "INTERNAL"
    assert before()
