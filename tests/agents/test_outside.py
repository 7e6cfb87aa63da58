"""No path and no run that an agent names leads out of the folders it may see."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.agents import (
    Agent,
    World,
    watch_for_changes,
    within,
)

pytestmark = pytest.mark.usefixtures("no_copy_is_lost")


def _inside(world: World) -> Path:
    return world.folder / "data"


OUTSIDE: dict[str, Callable[[World], str]] = {
    "absolute": lambda w: str(w.outside),
    "dots": lambda w: f"{_inside(w)}/../outside/private.db",
    "deep dots": lambda w: f"{_inside(w)}/copies/../../outside/private.db",
    "linked file": lambda w: _link(_inside(w) / "link.db", w.outside),
    "linked folder": lambda w: f"{_link(_inside(w) / 'way', w.outside.parent)}/private.db",
    "linked twice": lambda w: _link(_inside(w) / "b.db", Path(_link(_inside(w) / "a", w.outside))),
    "relative": lambda _: "outside/private.db",
    "home": lambda _: "~/private.db",
    "address": lambda w: f"file://{w.outside}",
    "root": lambda w: f"/proc/self/root{w.outside}",
    "nul": lambda w: f"{w.copy}\x00{w.outside}",
    "member": lambda w: f"{w.outside}!neotoma.db",
    "system": lambda _: "/etc/passwd",
    "parent": lambda w: str(w.folder),
    "remote": lambda _: "s3://bucket/prefix",
    "empty": lambda _: "",
}


def _link(at: Path, to: Path) -> str:
    at.symlink_to(to)
    return str(at)


@pytest.mark.parametrize("way", OUTSIDE)
def test_no_path_leads_outside(world: World, way: str) -> None:
    path = OUTSIDE[way](world)

    async def script(agent: Agent) -> None:
        for arguments in ({"copies": [path]}, {"folders": [path]}):
            answer = await agent.call("plan_recovery", **arguments)
            assert answer["error"]["code"] == "OUT_OF_SCOPE"
        if path:
            for tool in ("get_status", "list_backups", "check_snapshots", "backup_now"):
                answer = await agent.call(tool, target=path)
                assert answer["error"]["code"] == "OUT_OF_SCOPE"
        found = await agent.call("find_copies")
        assert found["found"] == 2  # links are not followed
        assert "private" not in "".join(agent.seen)

    before = watch_for_changes(world)
    within(world, script, answer="yes")
    assert before()


@pytest.mark.parametrize("run", ["..", "../..", "/etc", ".", "a/b", "\x00", "2026", "*" * 5_000])
def test_no_run_leads_outside(world: World, run: str) -> None:
    async def script(agent: Agent) -> None:
        for tool in ("read_report", "undo_recovery"):
            assert (await agent.call(tool, run=run))["error"]["code"] == "RUN_UNKNOWN"

    within(world, script)
