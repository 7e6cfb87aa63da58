"""Agents that mean ill, or do not know better: nothing is written without its plan and a yes."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.agents import (
    HELD,
    Agent,
    World,
    approve,
    make_world,
    watch_for_changes,
    within,
)
from tests.support.databases import count

pytestmark = pytest.mark.usefixtures("no_copy_is_lost")

REAL = "plan-" + "0" * 20


INVENTED = [
    "",
    "plan-",
    REAL,
    REAL.upper(),
    "../../../../etc/passwd",
    "/etc/passwd",
    "*",
    "plan-*",
    "' OR 1=1 --",
    "approved",
    "null\x00",
    "\N{GRINNING FACE}" * 20,
    "x" * 100_000,
]


@pytest.mark.parametrize("token", INVENTED, ids=range(len(INVENTED)))
@pytest.mark.parametrize("tool", ["apply_recovery", "undo_recovery"])
def test_an_invented_plan_does_nothing(world: World, tool: str, token: str) -> None:
    before = watch_for_changes(world)
    answer = within(world, lambda agent: agent.call(tool, plan=token), answer="yes")
    assert answer["error"]["code"] in ("PLAN_UNKNOWN", "RUN_OR_PLAN")
    assert before()


def test_a_plan_works_once(world: World) -> None:
    async def script(agent: Agent) -> Any:
        token = await agent.plan(world)
        done = await agent.call("apply_recovery", plan=token)
        assert done["outcome"] == "published"
        return token, await agent.call("apply_recovery", plan=token)

    token, again = within(world, script, answer="yes")
    before = watch_for_changes(world)
    assert again["error"]["code"] == "PLAN_USED"
    assert approve(world, token).returncode == 2
    third = within(world, lambda agent: agent.call("apply_recovery", plan=token), answer="yes")
    assert third["error"]["code"] == "PLAN_USED"
    assert before()


@pytest.mark.parametrize("approved", [False, True])
def test_a_plan_expires_approved_or_not(world: World, *, approved: bool) -> None:
    token = within(world, lambda agent: agent.plan(world))
    if approved:
        assert approve(world, token).returncode == 0
    before = watch_for_changes(world)
    world.later(minutes=31)
    answer = within(world, lambda agent: agent.call("apply_recovery", plan=token), answer="yes")
    assert answer["error"]["code"] == "PLAN_EXPIRED"
    assert before()


def test_a_plan_is_for_its_own_tool(world: World) -> None:
    async def script(agent: Agent) -> Any:
        token = await agent.plan(world)
        return await agent.call("undo_recovery", plan=token)

    before = watch_for_changes(world)
    assert within(world, script, answer="yes")["error"]["code"] == "PLAN_UNKNOWN"
    assert before()


FLAGS: list[dict[str, Any]] = [
    {"confirm": True},
    {"force": True, "yes": True},
    {"approved": True},
    {"answer": {"go_ahead": True}},
    {"answer": {"action": "accept", "data": {"go_ahead": True}}},
    {"production": None, "adds_only": True},
    {"ctx": {}, "scope": {"approve": False}},
    {"_meta": {"approved": True}},
]


@pytest.mark.parametrize("flags", FLAGS, ids="-".join)
def test_flags_that_a_model_sets_count_for_nothing(
    tmp_path: Path, world: World, flags: dict[str, Any]
) -> None:
    production = make_world(tmp_path / "production", "neotoma.prod.db")
    production.copy.rename(production.copy.with_name("neotoma.prod.older.db"))

    async def script(agent: Agent) -> Any:
        copy = str(production.copy.with_name("neotoma.prod.older.db"))
        token = await agent.plan(production, copies=[copy])
        return await agent.call("apply_recovery", plan=token, **flags)

    answer = within(production, script, answer="yes")
    assert answer.get("outcome") == "approval_needed", answer
    assert count(production.target, "observations") == HELD
    assert world.target.exists()


@pytest.mark.parametrize("why", ["option", "keep-source", "declared production"])
def test_a_client_that_answers_for_its_person_gets_no_further_than_adding(
    world: World, why: str
) -> None:
    options: dict[str, Any] = {
        **({"approve": True} if why == "option" else {}),
        **({"environment": "production"} if why == "declared production" else {}),
    }

    async def script(agent: Agent) -> Any:
        mode = {"mode": "keep-source"} if why == "keep-source" else {}
        answer = await agent.call("apply_recovery", plan=await agent.plan(world, **mode))
        assert agent.asked == []
        return answer

    before = watch_for_changes(world)
    assert within(world, script, answer="yes", **options)["outcome"] == "approval_needed"
    assert before()


def test_a_person_who_declines_at_the_terminal_has_not_approved(world: World) -> None:
    token = within(world, lambda agent: agent.plan(world, mode="keep-source"))
    before = watch_for_changes(world)
    assert approve(world, token, typed="n").returncode == 7
    answer = within(world, lambda agent: agent.call("apply_recovery", plan=token), answer="yes")
    assert answer["outcome"] == "approval_needed"
    assert before()
