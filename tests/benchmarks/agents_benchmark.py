"""How soon the server is ready, what each call takes, and how long its answer is.

``python -m tests.benchmarks.agents_benchmark`` plays the incident over standard input. A token is
taken for four characters.
"""

import resource
import tarfile
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import anyio
from mcp import Client

from tests.conftest import FIXTURES
from tests.support.agents import Agent, approve_in, over_stdio

_STARTS = 5
_CHARACTERS = 4  # of a token, roughly
_QUICK = 50


async def _start(words: tuple[str | Path, ...], vault: Path) -> float:
    begun = time.perf_counter()
    async with Client(over_stdio(*words, vault=vault)) as client:
        await client.list_tools()
        return time.perf_counter() - begun


async def _play(words: tuple[str | Path, ...], vault: Path) -> None:
    async with Client(over_stdio(*words, vault=vault), mode="legacy") as client:
        agent, calls = Agent(client, []), 0

        async def call(tool: str, **arguments: Any) -> dict[str, Any]:
            nonlocal calls
            calls += 1
            begun = time.perf_counter()
            answer = await agent.call(tool, **arguments)
            took, length = time.perf_counter() - begun, len(agent.seen[-2])
            print(
                f"{tool:<16} {took:7.2f} s {length:7,} characters {length // _CHARACTERS:6,} tokens"
            )
            return answer

        tools = await client.list_tools()
        size = len(tools.model_dump_json(by_alias=True, exclude_none=True))
        _show("the tools", "", size)
        await call("get_status")
        await call("find_copies")
        await call("compare_copies")
        plan = (await call("plan_recovery"))["plan"]
        await call("apply_recovery", plan=plan)
        approve_in(vault, plan)
        await call("apply_recovery", plan=plan)
        await call("get_status")
        await call("check_snapshots")
        print(f"calls for the incident: {calls}")
        begun = time.perf_counter()
        for _ in range(_QUICK):
            await agent.call("list_backups")
        each = (time.perf_counter() - begun) / _QUICK * 1000
        print(f"list_backups, each of {_QUICK}: {each:.1f} ms")


def _busy() -> float:
    """Return the seconds of the processor that ended processes of this one used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _show(what: str, took: str, length: int) -> None:
    print(f"{what:<16} {took:>9} {length:7,} characters {length // _CHARACTERS:6,} tokens")


def _main() -> None:
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        with tarfile.open(FIXTURES / "incident.tar.xz") as bundle:
            bundle.extractall(folder, filter="data")
        target, vault = folder / "incident" / "data" / "neotoma.prod.db", folder / "vault"
        words = ("--target", target, "--folder", folder / "incident", "--allow-recover")
        busy = _busy()
        starts = sorted(anyio.run(_start, words, vault) for _ in range(_STARTS))
        each = (_busy() - busy) / _STARTS
        print(f"ready after {starts[0]:.2f} to {starts[-1]:.2f} s, {_STARTS} starts")
        print(f"seconds of the processor for each start: {each:.2f}")
        anyio.run(_play, words, vault)


if __name__ == "__main__":
    _main()
