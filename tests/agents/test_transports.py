"""The server as clients start it: over standard input and over HTTP, in both generations."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx2
import pytest
from mcp.client.streamable_http import streamable_http_client

from neotoma_core.agents.audit import read_lines
from neotoma_core.agents.wire.http import listen_on
from neotoma_core.vault.folder import is_in_use
from tests.support.agents import (
    GENERATIONS,
    HELD,
    LOST,
    ROOT,
    Agent,
    World,
    approve,
    environment,
    over_stdio,
    play,
)
from tests.support.databases import count

READY_SECONDS = 120
MCP = (sys.executable, "-m", "neotoma_core", "mcp")


def words(world: World) -> list[str]:
    return ["--target", str(world.target), "--folder", str(world.folder / "data")]


@pytest.mark.parametrize("mode", GENERATIONS)
@pytest.mark.parametrize("answer", [None, "yes"])
def test_a_recovery_over_standard_input(world: World, mode: str, answer: Any) -> None:
    async def script(agent: Agent) -> dict[str, Any]:
        token = await agent.plan(world)
        done = await agent.call("apply_recovery", plan=token)
        if answer is None:
            assert done["outcome"] == "approval_needed"
            assert approve(world, token).returncode == 0
            done = await agent.call("apply_recovery", plan=token)
        return done

    server = over_stdio(*words(world), "--allow-recover", vault=world.vault)
    assert play(server, script, mode, answer)["outcome"] == "published"
    assert count(world.target, "observations") == LOST
    tools = [line.tool for line in read_lines(world.vault)]
    assert tools[0] == "plan_recovery"
    assert "apply_recovery" in tools


@contextmanager
def serving(world: World, *more: str) -> Iterator[tuple[str, str]]:
    """Serve HTTP in another process; yield the address and the token."""
    file = world.folder / "token"
    process = subprocess.Popen(
        [*MCP, *words(world), *more, "--http", "0", "--token-file", str(file)],
        stderr=subprocess.PIPE,
        text=True,
        env=environment(world.vault),
        cwd=ROOT,
    )
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert line.startswith("serving"), line
        assert process.stderr.readline().startswith("token")
        yield line.split()[1], file.read_text().strip()
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=READY_SECONDS)
    assert process.returncode in (0, 128 + signal.SIGTERM)
    assert file.stat().st_mode & 0o777 == 0o600


@asynccontextmanager
async def over_http(address: str, token: str) -> AsyncIterator[Any]:
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=READY_SECONDS) as client,
        streamable_http_client(address, http_client=client) as streams,
    ):
        yield streams


def test_http_is_for_whoever_has_the_token_and_for_no_other_page(world: World) -> None:
    with serving(world) as (address, token):
        for mode in GENERATIONS:

            async def script(agent: Agent) -> Any:
                return await agent.call("get_status")

            status = play(over_http(address, token), script, mode)
            assert status["databases"][0]["verdict"] == "wiped"
        for headers, refused in (
            ({}, 401),
            ({"Authorization": "Bearer wrong"}, 401),
            ({"Authorization": token}, 401),
            ({"Authorization": f"Bearer {token}", "Host": "evil.example"}, 421),
            ({"Authorization": f"Bearer {token}", "Host": "127.0.0.1.evil.example:80"}, 421),
            ({"Authorization": f"Bearer {token}", "Origin": "https://evil.example"}, 403),
            ({"Authorization": f"Bearer {token}", "Origin": "null"}, 403),
        ):
            answer = httpx2.post(address, json=PING, headers={**ACCEPT, **headers})
            assert (headers, answer.status_code) == (headers, refused)
            assert token not in answer.text
        long = {**PING, "params": {"padding": "x" * (1 << 20)}}
        headers = {**ACCEPT, "Authorization": f"Bearer {token}"}
        assert httpx2.post(address, json=long, headers=headers).status_code == 413
        port = address.split(":")[2].partition("/")[0]
        assert httpx2.get(f"http://127.0.0.1:{port}/").status_code == 401


PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
ACCEPT = {"Accept": "application/json, text/event-stream"}


def test_who_connects_before_the_server_runs_waits() -> None:
    with listen_on(0) as listening, socket.create_connection(listening.getsockname()) as client:
        assert client.getpeername() == listening.getsockname()


def test_a_recovery_over_http(world: World) -> None:
    with serving(world, "--allow-recover") as (address, token):
        for mode, answer, outcome in (
            (GENERATIONS[0], "no", "declined"),
            (GENERATIONS[1], "yes", "published"),
        ):

            async def script(agent: Agent) -> Any:
                return await agent.call("apply_recovery", plan=await agent.plan(world))

            done = play(over_http(address, token), script, mode, answer)  # type: ignore[arg-type]  # one of the answers
            assert done["outcome"] == outcome
    assert count(world.target, "observations") == LOST


MOMENTS = ("begun", "backups", "evidence", "in use")


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_client_that_dies_half_way_leaves_the_old_database_or_the_new_one(
    world: World, moment: str
) -> None:
    server = over_stdio(*words(world), "--allow-recover", vault=world.vault)
    token = play(server, lambda agent: agent.plan(world))
    assert approve(world, token).returncode == 0
    evidence = len(list((world.vault / "evidence").iterdir()))
    process = subprocess.Popen(
        [server.command, *server.args],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env=server.env,
        cwd=server.cwd,
    )
    watches: dict[str, Callable[[], bool]] = {
        "begun": lambda: any(line.outcome == "begun" for line in read_lines(world.vault)),
        "backups": lambda: any((world.vault / "backups").glob("*")),
        "evidence": lambda: len(list((world.vault / "evidence").iterdir())) > evidence,
        "in use": lambda: is_in_use(world.vault),
    }
    watched = watches[moment]
    assert process.stdin is not None
    process.stdin.write(HANDSHAKE + call_of("apply_recovery", token))
    process.stdin.flush()
    end = time.monotonic() + READY_SECONDS
    while not watched():
        assert time.monotonic() < end
        assert process.poll() is None
    process.kill()
    process.wait()
    process.stdin.close()
    assert count(world.target, "observations") in (HELD, LOST)
    again = play(server, lambda agent: agent.call("apply_recovery", plan=token))
    if "error" in again:  # it was used, or its target is new; else it was killed before that
        assert again["error"]["code"] in ("PLAN_USED", "PLAN_CHANGED")

    async def script(agent: Agent) -> Any:
        return await agent.call("apply_recovery", plan=await agent.plan(world))

    if count(world.target, "observations") == HELD:
        assert play(server, script, answer="yes")["outcome"] == "published"
    assert count(world.target, "observations") == LOST


def test_a_client_that_leaves_without_waiting_does_not_stop_what_was_begun(world: World) -> None:
    server = over_stdio(*words(world), "--allow-recover", vault=world.vault)
    token = play(server, lambda agent: agent.plan(world))
    assert approve(world, token).returncode == 0
    process = subprocess.Popen(
        [server.command, *server.args],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=server.env,
        cwd=server.cwd,
    )
    sent = HANDSHAKE + call_of("apply_recovery", token)
    assert process.stdin is not None
    process.stdin.write(sent)
    process.stdin.flush()
    while not any(line.outcome == "begun" for line in read_lines(world.vault)):
        assert process.poll() is None
    process.communicate(timeout=READY_SECONDS)
    assert count(world.target, "observations") in (HELD, LOST)
    assert read_lines(world.vault)[-1].outcome in ("begun", "done", "refused")


def message(**members: Any) -> bytes:
    from neotoma_core.neotoma.json import stringify  # noqa: PLC0415 - only what is sent by hand

    return stringify({"jsonrpc": "2.0", **members}).encode() + b"\n"


HANDSHAKE = message(
    id=1,
    method="initialize",
    params={
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "by-hand", "version": "1"},
    },
) + message(method="notifications/initialized")


def call_of(tool: str, token: str) -> bytes:
    return message(id=2, method="tools/call", params={"name": tool, "arguments": {"plan": token}})


HEAVY = ("polars", "pyarrow", "duckdb", "deltalake", "pandera", "prefect", "adbc_driver_sqlite")
NAMING_WHAT_IT_LOADED = (
    "import atexit, pathlib, sys; from neotoma_core.cli import main; loaded = sys.modules; "
    "file = pathlib.Path(sys.argv.pop(1)); "
    "atexit.register(lambda: file.write_text(' '.join(loaded))); main()"
)


def test_nothing_but_the_protocol_is_on_standard_output_and_nothing_heavy_is_loaded_before_a_call(
    world: World,
) -> None:
    server = over_stdio(*words(world), "--allow-recover", vault=world.vault)
    file = world.folder / "loaded"
    process = subprocess.Popen(
        [sys.executable, "-c", NAMING_WHAT_IT_LOADED, str(file), *server.args[2:]],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=server.env,
        cwd=server.cwd,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(HANDSHAKE + b"not json\n" + message(id=3, method="tools/list", params={}))
    process.stdin.flush()
    answers = [process.stdout.readline(), process.stdout.readline()]
    rest, errors = process.communicate(timeout=READY_SECONDS)
    assert all(line.startswith(b'{"jsonrpc"') for line in (*answers, *rest.splitlines()))
    assert b'"find_copies"' in answers[1]
    assert b"Traceback" not in errors
    loaded = {name.partition(".")[0] for name in file.read_text().split()}
    assert "mcp" in loaded
    assert not loaded & {*HEAVY}
