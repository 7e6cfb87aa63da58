"""The incident, from "my memory looks wrong" to a whole database, in at most eight calls."""

from pathlib import Path
from typing import Any

import pytest

from neotoma_core.agents.audit import read_lines
from tests.support.agents import Agent, approve_in, over_stdio, play
from tests.support.databases import count

MOST_CALLS = 8
WHOLE = 6_296


async def play_prompt(agent: Agent, target: Path, vault: Path) -> int:
    """Play what the prompt says; return how many calls that took."""
    calls = 0

    async def call(tool: str, **arguments: Any) -> dict[str, Any]:
        nonlocal calls
        calls += 1
        answer = await agent.call(tool, **arguments)
        assert "error" not in answer, answer
        return answer

    status = await call("get_status")
    assert status["databases"][0]["verdict"] == "wiped"
    await call("find_copies")
    compared = await call("compare_copies")
    assert "877 contacts" in compared["gets_back"]
    planned = await call("plan_recovery")
    assert planned["after"]["observations"] == WHOLE
    done = await call("apply_recovery", plan=planned["plan"])
    if planned["needs_approval"]:
        assert done["outcome"] == "approval_needed"
        assert approve_in(vault, planned["plan"]).returncode == 0
        done = await call("apply_recovery", plan=planned["plan"])
    assert done["outcome"] == "published"
    status = await call("get_status")
    assert status["databases"][0]["verdict"] == "whole"
    checked = await call("check_snapshots")
    assert checked["drifted"] == 0
    assert count(target, "observations") == WHOLE
    return calls


@pytest.mark.parametrize(
    ("name", "mode"), [("neotoma.prod.db", "legacy"), ("memory.db", "2026-07-28")]
)
def test_the_incident_in_at_most_eight_calls(
    incident: Path, tmp_path: Path, name: str, mode: str
) -> None:
    wiped = incident / "data" / "neotoma.prod.db"
    target, vault = wiped.rename(wiped.with_name(name)), tmp_path / "vault"
    words = ("--target", target, "--folder", incident, "--allow-recover")

    async def script(agent: Agent) -> int:
        calls = await play_prompt(agent, target, vault)
        assert len(agent.asked) == (name == "memory.db")
        return calls

    calls = play(over_stdio(*words, vault=vault), script, mode, "yes")
    assert calls <= MOST_CALLS
    assert [line.outcome for line in read_lines(vault)].count("refused") == 0
