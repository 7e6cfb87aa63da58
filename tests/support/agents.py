"""Agents in tests: the SDK's own client, a small world of databases, and who answers questions."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import anyio
from mcp import Client
from mcp.client import ClientRequestContext
from mcp.client.stdio import StdioServerParameters
from mcp_types import ElicitRequestParams, ElicitResult

from neotoma_core.agents.scope import Protected, Scope
from neotoma_core.agents.wire.server import build_server
from tests.support.databases import entity, make_database, observation, read_all
from tests.support.forks.asking import python

ROOT = Path(__file__).parents[2]
GENERATIONS = ("legacy", "2026-07-28")
HELD, LOST = 3, 9
STORED = "zq-stored-value-of-the-test"


def now_here() -> datetime:
    """Return the time: commands of ours in other processes compare it with their own clock."""
    return datetime.now(UTC)  # noqa: TID251 - as said


@dataclass(slots=True)
class World:
    """A database that lost rows, a copy that has them, a vault, and a folder nobody may touch."""

    folder: Path
    now: datetime = field(default_factory=now_here)
    target_name: str = "memory.db"

    @property
    def target(self) -> Path:
        return self.folder / "data" / self.target_name

    @property
    def copy(self) -> Path:
        return self.folder / "data" / "copies" / "older.db"

    @property
    def vault(self) -> Path:
        return self.folder / "vault"

    @property
    def outside(self) -> Path:
        return self.folder / "outside" / "private.db"

    def scope(self, **options: Any) -> Scope:
        given = {"recover": True, **options}
        targets = (Protected(self.target, self.vault),)
        return Scope(targets, lambda: self.now, folders=(self.folder / "data",), **given)

    def later(self, **span: float) -> None:
        self.now += timedelta(**span)


def rows(first: int, last: int, **cells: object) -> dict[str, list[Mapping[str, object]]]:
    """Return entities and their observations, numbered, each with a value nobody may be shown."""
    return {
        "entities": [entity(f"ent_{n:08x}") for n in range(first, last)],
        "observations": [
            observation(f"obs_{n:08x}", f"ent_{n:08x}", fields=f'{{"title":"{STORED}"}}', **cells)
            for n in range(first, last)
        ],
    }


def make_world(folder: Path, target_name: str = "memory.db") -> World:
    """Make a world: the copy has the target's rows and more."""
    world = World(folder, target_name=target_name)
    make_database(world.target, rows(0, HELD))
    make_database(world.copy, rows(0, LOST))
    make_database(world.outside, rows(20, 24))
    return world


@dataclass(slots=True)
class Agent:
    """A client that is connected. ``asked``: the questions its person was asked."""

    client: Client
    asked: list[str]
    seen: list[str] = field(default_factory=list)

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool; return its answer, or the error in its place."""
        result = await self.client.call_tool(tool, arguments)
        text = "".join(getattr(block, "text", "") for block in result.content)
        self.seen += [text, repr(result.structured_content)]
        if result.is_error:
            try:
                return dict(json.loads(text))
            except ValueError:
                return {"error": {"code": "SDK", "message": text}}
        assert result.structured_content is not None
        return dict(result.structured_content)

    async def plan(self, world: World, **arguments: Any) -> str:
        """Plan a recovery from the world's copy; return the token."""
        given = {"copies": [str(world.copy)], **arguments}
        answer = await self.call("plan_recovery", target=str(world.target), **given)
        assert "plan" in answer, answer
        return str(answer["plan"])


Script = Callable[[Agent], Awaitable[Any]]
Answer = Literal["yes", "no", "cancel"] | None


def play(server: Any, script: Script, mode: str = "auto", answer: Answer = None) -> Any:
    """Connect a client and play a script; ``answer``: its person's, None where it cannot ask."""
    asked: list[str] = []

    async def elicit(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:  # noqa: ARG001
        asked.append(params.message)
        if answer == "yes":
            return ElicitResult(action="accept", content={"go_ahead": True})
        return ElicitResult(action="decline" if answer == "no" else "cancel")

    async def run() -> Any:
        callback = elicit if answer else None
        async with Client(server, mode=mode, elicitation_callback=callback) as client:
            return await script(Agent(client, asked))

    return anyio.run(run)


def within(
    world: World, script: Script, mode: str = "auto", answer: Answer = None, **options: Any
) -> Any:
    """Play a script with a server in this process."""
    return play(build_server(world.scope(**options), "test"), script, mode, answer)


def over_stdio(*words: str | Path, vault: Path) -> StdioServerParameters:
    """Return what starts ``midden mcp`` as a client does."""
    return StdioServerParameters(
        command=sys.executable,
        args=["-m", "neotoma_core", "mcp", *map(str, words)],
        env=environment(vault),
        cwd=ROOT,
    )


def environment(vault: Path) -> dict[str, str]:
    """Return the environment of a command of ours, with a vault and a home of the test's own."""
    home = {"HOME": str(vault.parent), "XDG_DATA_HOME": str(vault.parent / "user-data")}
    return {**os.environ, **home, "MIDDEN_VAULT": str(vault)}  # noqa: TID251 - a child's


def at_terminal(typed: str, *words: str | Path, vault: Path) -> subprocess.CompletedProcess[str]:
    """Run a command of ours with somebody at its terminal."""
    ours, theirs = pty.openpty()
    try:
        os.write(ours, f"{typed}\n".encode())
        return subprocess.run(
            [python(), "-m", "neotoma_core", *map(str, words)],
            stdin=theirs,
            capture_output=True,
            text=True,
            check=False,
            env=environment(vault),
        )
    finally:
        os.close(ours)
        os.close(theirs)


def approve(world: World, token: str, typed: str = "y") -> subprocess.CompletedProcess[str]:
    """Approve a plan at a terminal, in another process."""
    return approve_in(world.vault, token, typed)


def approve_in(vault: Path, token: str, typed: str = "y") -> subprocess.CompletedProcess[str]:
    """Approve a plan of a vault at a terminal, in another process."""
    return at_terminal(typed, "approve", token, vault=vault)


def watch_for_changes(world: World) -> Callable[[], bool]:
    """Return what tells whether the world's databases still hold what they do now."""
    files = (world.target, world.copy, world.outside)
    before = {file: read_all(file) for file in files if file.exists()}
    return lambda: before == {file: read_all(file) for file in files if file.exists()}
