"""What the tools are, take and answer."""

import json
from typing import Any

import pytest

from tests.support.agents import (
    GENERATIONS,
    HELD,
    LOST,
    STORED,
    Agent,
    World,
    approve,
    now_here,
    rows,
    within,
)
from tests.support.databases import count, insert_all

READ = {
    "get_status",
    "find_copies",
    "compare_copies",
    "plan_recovery",
    "list_backups",
    "check_snapshots",
    "explain_entity",
    "read_report",
}
WRITE = {"apply_recovery", "undo_recovery", "backup_now"}
NEVER = ("prune", "erase", "reset", "accept", "unpin", "delete", "remove", "compact", "drop")


async def tools_of(agent: Agent) -> list[Any]:
    return (await agent.client.list_tools()).tools


@pytest.mark.parametrize("recover", [False, True])
def test_the_tools_are_these_and_none_shrinks_the_set_of_good_copies(
    world: World, *, recover: bool
) -> None:
    tools = within(world, tools_of, recover=recover)
    names = {tool.name for tool in tools}
    assert names == (READ | WRITE if recover else READ)
    assert not [name for name in names for word in NEVER if word in name]
    for tool in tools:
        assert tool.annotations.read_only_hint is (tool.name in READ)
        assert tool.annotations.destructive_hint is (tool.name == "undo_recovery")
        assert tool.output_schema["properties"]["next_step"]
        assert all("description" in given for given in tool.input_schema["properties"].values())
        taken = {*tool.input_schema["properties"]}
        assert not {"confirm", "force", "yes", "approved", "vault", "folder"} & taken


@pytest.mark.parametrize("mode", GENERATIONS)
def test_a_client_of_either_generation_is_led_from_status_to_plan(world: World, mode: str) -> None:
    async def script(agent: Agent) -> None:
        status = await agent.call("get_status")
        assert [one["verdict"] for one in status["databases"]] == ["wiped"]
        assert "find_copies" in status["next_step"]
        found = await agent.call("find_copies")
        assert {copy["observations"] for copy in found["copies"]} == {HELD, LOST}
        (other,) = [copy for copy in found["copies"] if not copy["is_target"]]
        compared = await agent.call("compare_copies", copies=[other["id"]])
        assert compared["gets_back"] == f"{LOST - HELD} notes"
        planned = await agent.call("plan_recovery", copies=[other["id"]])
        assert planned["gets_back"] == f"{LOST - HELD} observations, {LOST - HELD} entities"
        assert planned["adds_only"]
        assert not planned["needs_approval"]
        assert "apply_recovery" in planned["next_step"]
        assert count(world.target, "observations") == HELD
        assert STORED not in "".join(agent.seen)

    within(world, script, mode)


@pytest.mark.parametrize("mode", GENERATIONS)
def test_a_plan_is_carried_out_after_the_person_agreed_in_the_client(
    world: World, mode: str
) -> None:
    async def script(agent: Agent) -> dict[str, Any]:
        done = await agent.call("apply_recovery", plan=await agent.plan(world))
        assert len(agent.asked) == 1
        assert str(world.target) in agent.asked[0]
        return done

    done = within(world, script, mode, "yes")
    assert done["outcome"] == "published"
    assert done["backup_verified"]
    assert done["agreed"] == "in the client"
    assert (done["observations_before"], done["observations_after"]) == (HELD, LOST)
    assert count(world.target, "observations") == LOST


@pytest.mark.parametrize("mode", GENERATIONS)
@pytest.mark.parametrize("answer", ["no", "cancel"])
def test_a_person_who_declines_is_obeyed_and_may_agree_later(
    world: World, mode: str, answer: Any
) -> None:
    async def script(agent: Agent) -> str:
        token = await agent.plan(world)
        done = await agent.call("apply_recovery", plan=token)
        assert done["outcome"] == "declined"
        return token

    token = within(world, script, mode, answer)
    assert count(world.target, "observations") == HELD
    done = within(world, lambda agent: agent.call("apply_recovery", plan=token), mode, "yes")
    assert done["outcome"] == "published"


@pytest.mark.parametrize("mode", GENERATIONS)
def test_a_client_that_cannot_ask_is_sent_to_the_terminal(world: World, mode: str) -> None:
    async def script(agent: Agent) -> str:
        token = await agent.plan(world)
        done = await agent.call("apply_recovery", plan=token)
        assert done["outcome"] == "approval_needed"
        assert f"midden approve {token} --vault {world.vault}" in done["next_step"]
        return token

    token = within(world, script, mode)
    assert count(world.target, "observations") == HELD
    approved = approve(world, token)
    assert approved.returncode == 0, approved.stderr
    assert "older.db" in approved.stdout
    done = within(world, lambda agent: agent.call("apply_recovery", plan=token), mode)
    assert (done["outcome"], done["agreed"]) == ("published", "at a terminal")


def test_a_recovery_is_undone_once_that_is_approved(world: World) -> None:
    async def recover(agent: Agent) -> tuple[str, str]:
        done = await agent.call("apply_recovery", plan=await agent.plan(world))
        undo = await agent.call("undo_recovery", run=done["run"])
        assert undo["outcome"] == "planned"
        waiting = await agent.call("undo_recovery", plan=undo["plan"])
        assert waiting["outcome"] == "approval_needed"
        assert len(agent.asked) == 1  # a client's answer does not count for an undo
        return done["run"], undo["plan"]

    _, token = within(world, recover, answer="yes")
    assert count(world.target, "observations") == LOST
    assert approve(world, token).returncode == 0
    done = within(world, lambda agent: agent.call("undo_recovery", plan=token))
    assert done["outcome"] == "restored"
    assert count(world.target, "observations") == HELD


def test_backups_are_taken_and_listed_page_by_page(world: World) -> None:
    async def script(agent: Agent) -> None:
        assert "backup_now" in (await agent.call("list_backups"))["next_step"]
        for _ in range(3):
            done = await agent.call("backup_now")
            assert (done["outcome"], done["backup_verified"]) == ("taken", True)
            world.later(seconds=2)
        first = await agent.call("list_backups", limit=2)
        assert [one["number"] for one in first["backups"]] == [3, 2]
        second = await agent.call("list_backups", limit=2, cursor=first["cursor"])
        assert [one["number"] for one in second["backups"]] == [1]
        assert second["cursor"] is None
        planned = await agent.call("plan_recovery", backup="1")
        assert planned["gets_back"] == "nothing that the database lacks"
        assert planned["uses"][0].startswith(str(world.vault))

    within(world, script)


def test_copies_are_listed_page_by_page(world: World) -> None:
    async def script(agent: Agent) -> None:
        first = await agent.call("find_copies", limit=1)
        second = await agent.call("find_copies", limit=1, cursor=first["cursor"])
        assert (first["found"], second["cursor"]) == (2, None)
        assert first["copies"][0]["id"] != second["copies"][0]["id"]
        again = await agent.call("find_copies", limit=1)
        assert again["copies"] == first["copies"]

    within(world, script)


def test_snapshots_are_checked_and_reports_read(world: World) -> None:
    async def script(agent: Agent) -> None:
        checked = await agent.call("check_snapshots")
        assert checked["drifted"] == HELD  # the test's database has none
        listed = await agent.call("read_report")
        assert [one["run"] for one in listed["runs"]] == [checked["run"]]
        told = await agent.call("read_report", run=checked["run"])
        assert told["runs"][0]["outcome"] == "checked"
        read = await agent.client.read_resource(f"midden://reports/1/{checked['run']}")
        assert json.loads(read.contents[0].text)["outcome"] == "checked"  # type: ignore[union-attr]

    within(world, script)


@pytest.mark.parametrize("values", [False, True])
def test_an_entity_is_explained_with_values_only_where_they_are_allowed(
    world: World, *, values: bool
) -> None:
    async def script(agent: Agent) -> dict[str, Any]:
        missing = await agent.call("explain_entity", entity="ent_00000005")
        assert missing["error"]["code"] == "ARCHIVE_ERROR"
        await agent.call("apply_recovery", plan=await agent.plan(world))
        told = await agent.call("explain_entity", entity="ent_00000005")
        assert (STORED in "".join(agent.seen)) is values
        return told

    told = within(world, script, answer="yes", values=values)
    assert told["fields"] == {"title": 1}
    assert [one["observation"] for one in told["versions"]] == ["obs_00000005"]
    assert [one["value"] for one in told["values"]] == ([STORED] if values else [])


def test_there_is_a_prompt_and_a_page_for_agents(world: World) -> None:
    async def script(agent: Agent) -> None:
        prompts = (await agent.client.list_prompts()).prompts
        assert [(one.name, bool(one.description)) for one in prompts] == [
            ("my_memory_looks_wrong", True)
        ]
        prompt = await agent.client.get_prompt("my_memory_looks_wrong")
        page = await agent.client.read_resource("midden://agents")
        for text in (prompt.messages[0].content.text, page.contents[0].text):  # type: ignore[union-attr]
            assert all(name in text for name in ("get_status", "plan_recovery", "apply_recovery"))

    within(world, script)


def test_what_was_held_at_a_time_comes_back_only_with_an_approval(world: World) -> None:
    async def plan(agent: Agent) -> str:
        done = await agent.call("apply_recovery", plan=await agent.plan(world))
        assert done["outcome"] == "published"
        world.later(days=2)
        insert_all(world.target, rows(30, 32, created_at="2026-03-20T00:00:00.000Z"))
        answer = await agent.call("plan_recovery", as_of="2026-03-01")
        assert (answer["kind"], answer["needs_approval"]) == ("as-of", True)
        assert answer["after"]["observations"] == LOST
        waiting = await agent.call("apply_recovery", plan=answer["plan"])
        assert waiting["outcome"] == "approval_needed"
        assert len(agent.asked) == 1
        for wrong in ("2026-02-30", "yesterday", "ignore all that"):
            refused = await agent.call("plan_recovery", as_of=wrong)
            assert refused["error"]["code"] == "USAGE_ERROR"
        both = await agent.call("plan_recovery", as_of="2026-03-01", backup="1")
        assert both["error"]["code"] == "ONE_SOURCE"
        return str(answer["plan"])

    token = within(world, plan, answer="yes")
    assert count(world.target, "observations") == LOST + 2
    world.now = now_here()
    assert approve(world, token).returncode == 0
    done = within(world, lambda agent: agent.call("apply_recovery", plan=token))
    assert (done["outcome"], done["backup_verified"]) == ("restored", True)
    assert count(world.target, "observations") == LOST
