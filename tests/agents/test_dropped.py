"""A client that drops its HTTP connection while a recovery is carried out: old or new, and used."""

import http.client
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest

from neotoma_core.agents.audit import read_lines
from neotoma_core.vault.folder import is_in_use
from tests.agents.test_transports import (
    ACCEPT,
    HANDSHAKE,
    READY_SECONDS,
    call_of,
    over_http,
    serving,
)
from tests.support.agents import HELD, LOST, Agent, World, approve, play
from tests.support.databases import count, read_all

INITIALIZE, INITIALIZED = HANDSHAKE.splitlines()
ENDED = ("done", "refused")


class ByHand:
    """A client that speaks HTTP itself, so that it can leave whenever it wants."""

    def __init__(self, address: str, token: str) -> None:
        self._place = urlsplit(address)
        self._headers = {
            **ACCEPT,
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
        }
        with closing(self.send(INITIALIZE)) as connection:
            session = connection.getresponse().getheader("mcp-session-id")
        self._headers |= {"Mcp-Session-Id": session} if session else {}
        with closing(self.send(INITIALIZED)) as connection:
            assert connection.getresponse().status < 300

    def send(self, body: bytes) -> http.client.HTTPConnection:
        """Send a message over a connection of its own, and do not wait for the answer."""
        connection = http.client.HTTPConnection(
            self._place.hostname or "", self._place.port, timeout=READY_SECONDS
        )
        connection.request("POST", self._place.path, body, self._headers)
        return connection


def wait_until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + READY_SECONDS
    while not true():
        assert time.monotonic() < end


@pytest.mark.parametrize("moment", ["begun", "in use", "evidence"])
def test_a_connection_that_is_dropped_leaves_the_old_database_or_the_new_one(
    world: World, moment: str
) -> None:
    with serving(world, "--allow-recover") as (address, key):
        token = play(over_http(address, key), lambda agent: agent.plan(world))
        assert approve(world, token).returncode == 0
        kept = len(list((world.vault / "evidence").iterdir()))
        calls = len(read_lines(world.vault))
        before = read_all(world.target)
        moments: dict[str, Callable[[], bool]] = {
            "begun": lambda: read_lines(world.vault)[-1].outcome == "begun",
            "in use": lambda: is_in_use(world.vault),
            "evidence": lambda: len(list((world.vault / "evidence").iterdir())) > kept,
        }
        connection = ByHand(address, key).send(call_of("apply_recovery", token))
        wait_until(moments[moment])
        connection.close()
        wait_until(lambda: any(one.outcome in ENDED for one in read_lines(world.vault)[calls:]))
        wait_until(lambda: not is_in_use(world.vault))
        if count(world.target, "observations") != LOST:
            assert read_all(world.target) == before
        again = play(over_http(address, key), lambda a: a.call("apply_recovery", plan=token))
        assert again["error"]["code"] in ("PLAN_USED", "PLAN_CHANGED")

        async def script(agent: Agent) -> Any:
            return await agent.call("apply_recovery", plan=await agent.plan(world))

        if count(world.target, "observations") == HELD:
            assert play(over_http(address, key), script, answer="yes")["outcome"] == "published"
    assert count(world.target, "observations") == LOST
