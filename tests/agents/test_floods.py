"""Agents that ask too often, at once, or for what cannot be."""

from pathlib import Path
from typing import Any

import anyio
import pytest

from neotoma_core.agents import plans
from neotoma_core.agents.plans import MOST_WAITING
from neotoma_core.agents.refusals import Refused
from neotoma_core.agents.wire.server import build_server
from neotoma_core.files.small import read_small
from tests.support.agents import (
    LOST,
    Agent,
    World,
    approve,
    play,
    watch_for_changes,
    within,
)
from tests.support.databases import count

pytestmark = pytest.mark.usefixtures("no_copy_is_lost")


def test_two_agents_with_one_plan_write_once(world: World) -> None:
    server = build_server(world.scope(), "test")
    other = build_server(world.scope(), "test")
    token = play(server, lambda agent: agent.plan(world))
    assert approve(world, token).returncode == 0
    answers: list[dict[str, Any]] = []

    async def one(which: Any) -> None:
        from mcp import Client  # noqa: PLC0415 - as the support module connects

        async with Client(which) as client:
            answers.append(await Agent(client, []).call("apply_recovery", plan=token))

    async def both() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(one, server)
            group.start_soon(one, other)

    anyio.run(both)
    outcomes = sorted(answer.get("outcome") or answer["error"]["code"] for answer in answers)
    assert outcomes in (["PLAN_USED", "published"], ["PLAN_CHANGED", "published"])
    assert count(world.target, "observations") == LOST


def test_a_plan_that_is_used_up_while_it_is_looked_for_is_called_used(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = within(world, lambda agent: agent.plan(world))
    found = plans.find_plan([world.vault], token, world.now)

    def use_it_up(file: Path) -> bytes:
        if file.exists():
            plans.use_plan(found)
        return read_small(file)

    monkeypatch.setattr("neotoma_core.agents.plans.read_small", use_it_up)
    with pytest.raises(Refused) as refused:
        plans.find_plan([world.vault], token, world.now)
    assert refused.value.code == "PLAN_USED"


def test_two_plans_for_one_database_write_once(world: World) -> None:
    async def script(agent: Agent) -> None:
        first, second = await agent.plan(world), await agent.plan(world)
        assert (await agent.call("apply_recovery", plan=first))["outcome"] == "published"
        answer = await agent.call("apply_recovery", plan=second)
        assert answer["error"]["code"] == "PLAN_CHANGED"

    within(world, script, answer="yes")


def test_a_flood_of_plans_ends(world: World) -> None:
    async def script(agent: Agent) -> None:
        for _ in range(MOST_WAITING):
            await agent.plan(world)
        answer = await agent.call("plan_recovery", copies=[str(world.copy)])
        assert answer["error"]["code"] == "TOO_MANY_PLANS"
        world.later(minutes=31)
        await agent.plan(world)

    within(world, script)


def test_a_flood_of_backups_ends(world: World) -> None:
    async def script(agent: Agent) -> None:
        for _ in range(6):
            assert (await agent.call("backup_now"))["outcome"] == "taken"
            world.later(seconds=1)
        assert (await agent.call("backup_now"))["error"]["code"] == "TOO_MANY_BACKUPS"
        assert (await agent.call("list_backups"))["total"] == 6

    within(world, script)


def test_a_flood_of_calls_is_answered_and_refused(world: World) -> None:
    async def script(agent: Agent) -> None:
        answers: list[dict[str, Any]] = []

        async def one() -> None:
            answers.append(await agent.call("list_backups"))

        async with anyio.create_task_group() as group:
            for _ in range(60):
                group.start_soon(one)
        codes = {answer["error"]["code"] for answer in answers if "error" in answer}
        assert len(answers) == 60
        assert codes <= {"BUSY"}
        assert any("error" not in answer for answer in answers)

    within(world, script)


BAD_ARGUMENTS: list[tuple[str, dict[str, Any]]] = [
    ("find_copies", {"limit": 10**9}),
    ("find_copies", {"limit": -1}),
    ("find_copies", {"cursor": "-1"}),
    ("find_copies", {"cursor": "9" * 4000}),
    ("list_backups", {"cursor": "abc"}),
    ("plan_recovery", {"mode": "safe"}),
    ("plan_recovery", {"copies": ["copy-ffffffffff"]}),
    ("plan_recovery", {"backup": "../../x"}),
    ("plan_recovery", {"backup": "99"}),
    ("explain_entity", {"entity": "x" * 5_000}),
    ("compare_copies", {"copies": "not a list"}),
    ("prune_backups", {}),
    ("apply_recovery", {}),
]


@pytest.mark.parametrize(
    ("tool", "arguments"), BAD_ARGUMENTS, ids=[f"{t}-{n}" for n, (t, _) in enumerate(BAD_ARGUMENTS)]
)
def test_arguments_that_cannot_be_are_refused(
    world: World, tool: str, arguments: dict[str, Any]
) -> None:
    before = watch_for_changes(world)

    async def script(agent: Agent) -> Any:
        if "cursor" in arguments and tool == "find_copies":
            await agent.call("find_copies")
        return await agent.call(tool, **arguments)

    error = within(world, script, answer="yes")["error"]
    assert error["code"] != "SDK"
    assert {"code", "message", "retryable", "exit_code"} <= {*error}
    assert before()
