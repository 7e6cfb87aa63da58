"""``midden mcp install``, ``midden approve`` and ``midden audit`` as a person uses them."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from neotoma_core.agents.audit import LOG, AuditLine, append_line, read_lines
from neotoma_core.agents.scope import Protected
from neotoma_core.agents.wire.clients import install_entry, settings_file
from neotoma_core.agents.wire.server import build_server
from neotoma_core.errors import UsageError, VaultDamaged
from neotoma_core.vault.folder import AGENTS
from tests.support.agents import (
    STORED,
    Agent,
    World,
    approve,
    at_terminal,
    environment,
    play,
    within,
)
from tests.support.forks.asking import python


def midden(world: World, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python(), "-m", "neotoma_core", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env=environment(world.vault),
    )


@pytest.mark.parametrize("client", ["claude-desktop", "claude-code", "cursor", "vscode"])
def test_the_entry_is_printed_and_with_apply_written_beside_the_others(
    world: World, tmp_path: Path, client: str
) -> None:
    file = tmp_path / "settings.json"
    key = "servers" if client == "vscode" else "mcpServers"
    before = {"theme": "dark", key: {"other": {"command": "other"}}}
    file.write_text(json.dumps(before))  # noqa: TID251 - another program's file
    asked = ("mcp", "install", client, "--target", world.target, "--file", file, "--allow-recover")
    printed = midden(world, *asked)
    assert printed.returncode == 0, printed.stderr
    assert json.loads(file.read_text()) == before
    written = midden(world, *asked, "--apply")
    assert written.stderr.startswith("written")
    settings = json.loads(file.read_text())
    assert settings["theme"] == "dark"
    assert settings[key]["other"] == {"command": "other"}
    entry = settings[key]["midden"]
    assert json.loads(printed.stdout) == {key: {"midden": entry}}
    kept = ["--vault", str(world.vault)]  # as MIDDEN_VAULT says, which no client hands on
    assert entry["args"] == ["mcp", "--target", str(world.target), *kept, "--allow-recover"]
    assert midden(world, *asked, "--apply").stderr.startswith("unchanged")


def test_the_entry_serves_what_is_configured_here_without_a_variable(
    world: World, tmp_path: Path
) -> None:
    file = tmp_path / "own.toml"
    file.write_text(f'[databases.main]\npath = "{world.target}"\nvault = "kept"\n[profiles.p]\n')
    settings = tmp_path / "settings.json"
    words = ("--config", file, "--profile", "p", "mcp", "install", "cursor", "--file", settings)
    done = subprocess.run(
        [python(), "-m", "neotoma_core", *map(str, words), "--apply"],
        capture_output=True,
        text=True,
        check=False,
        env={n: v for n, v in environment(world.vault).items() if n != "MIDDEN_VAULT"},
    )
    assert done.returncode == 0, done.stderr
    entry = json.loads(settings.read_text())["mcpServers"]["midden"]
    first = ["--config", str(file), "--profile", "p"]
    assert entry["args"] == [*first, "mcp", "--target", str(world.target)]


@pytest.mark.parametrize("content", [b"// a comment\n{}", b"[]", b'{"mcpServers": 1}', b"\xff"])
def test_settings_that_are_not_plain_json_stay_as_they_are(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "settings.json"
    file.write_bytes(content)
    with pytest.raises(UsageError, match="by hand"):
        install_entry("cursor", file, ["midden", "mcp"], apply=True)
    assert file.read_bytes() == content


def test_every_client_has_a_place_for_its_settings() -> None:
    home, folder = Path("/home/somebody"), Path("/project")
    places = {
        settings_file(client, home, folder, mac=mac)
        for client in ("claude-desktop", "claude-code", "cursor", "vscode")
        for mac in (False, True)
    }
    assert len(places) == 5


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--target", "nowhere.db", "--folder", "nowhere"),
        ("--target", "a.db", "--target", "b.db", "--vault", "v"),
        ("--target", "a.db", "--token-file", "t"),
        ("--target", "a.db", "install", "cursor"),
        ("--target", ""),
        ("--target", "a.db", "--folder", ""),
    ],
)
def test_a_server_that_cannot_be_is_refused(world: World, words: tuple[str, ...]) -> None:
    done = midden(world, "mcp", *words)
    assert done.returncode == 2
    assert done.stderr.startswith("midden: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("content", ["", "short", "with spaces in it " * 4])
def test_a_token_that_is_none_is_refused(world: World, content: str) -> None:
    file = world.folder / "token"
    file.write_text(content)
    words = ("--target", world.target, "--http", "0", "--token-file", file)
    done = midden(world, "mcp", *words)
    assert (done.returncode, "token" in done.stderr) == (2, True)
    assert file.read_text() == content


def test_nobody_approves_without_a_terminal(world: World) -> None:
    token = within(world, lambda agent: agent.plan(world))
    done = midden(world, "approve", token)
    assert done.returncode == 2
    assert "terminal" in done.stderr
    assert approve(world, "plan-invented").returncode == 2


def test_rows_of_a_production_database_go_only_with_its_name_typed(world: World) -> None:
    async def recover(agent: Agent) -> str:
        token = await agent.plan(world)
        assert approve(world, token).returncode == 0
        done = await agent.call("apply_recovery", plan=token)
        return str((await agent.call("undo_recovery", run=done["run"]))["plan"])

    token = within(world, recover, environment="production")
    assert approve(world, token, typed="y").returncode == 7
    waiting = within(
        world, lambda agent: agent.call("undo_recovery", plan=token), environment="production"
    )
    assert waiting["outcome"] == "approval_needed"
    assert approve(world, token, typed=world.target.name).returncode == 0
    done = within(
        world, lambda agent: agent.call("undo_recovery", plan=token), environment="production"
    )
    assert done["outcome"] == "restored"


def test_every_call_is_in_the_audit_log_without_values_and_usable_plans(world: World) -> None:
    async def script(agent: Agent) -> str:
        await agent.call("get_status", target="/etc/passwd")
        await agent.call("explain_entity", entity=STORED)
        token = await agent.plan(world)
        await agent.call("apply_recovery", plan=token)
        await agent.call("no_such_tool")
        await agent.call("find_copies", limit=-5)
        return token

    token = within(world, script, "legacy", "yes")
    log = (world.vault / AGENTS / LOG).read_text()
    assert STORED not in log
    assert token not in log
    lines = read_lines(world.vault)
    said = [(line.tool, line.outcome, line.code) for line in lines]
    assert said == [
        ("get_status", "refused", "OUT_OF_SCOPE"),
        ("explain_entity", "refused", "ARCHIVE_ERROR"),
        ("plan_recovery", "done", None),
        ("apply_recovery", "begun", None),
        ("apply_recovery", "done", None),
        ("tools/call", "refused", None),
        ("tools/call", "refused", None),
    ]
    assert lines[2].plan == lines[4].plan
    assert lines[4].decision == "published, agreed in the client"
    shown = midden(world, "audit", "--target", world.target)
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.count("\n") >= len(lines)
    printed = json.loads(midden(world, "audit", "--target", world.target, "--json").stdout)
    assert len(printed) == len(lines)


def test_a_vault_nobody_asked_about_has_no_calls(world: World) -> None:
    done = midden(world, "audit", "--target", world.target)
    assert (done.returncode, done.stdout) == (0, "no agent asked anything\n")


LINE = AuditLine("2026-03-12T09:00:00Z", "test", "get_status", {}, "done")


@pytest.mark.parametrize("harm", ["changed", "removed", "swapped", "added"])
def test_an_audit_log_that_was_changed_is_found_out(world: World, harm: str) -> None:
    for _ in range(3):
        append_line(world.vault, world.target, LINE)
    file = world.vault / AGENTS / LOG
    lines = file.read_text().splitlines(keepends=True)
    harmed = {
        "changed": [lines[0], lines[1].replace("get_status", "apply"), lines[2]],
        "removed": [lines[0], lines[2]],
        "swapped": [lines[1], lines[0], lines[2]],
        "added": [*lines, lines[2]],
    }[harm]
    file.write_text("".join(harmed))
    with pytest.raises(VaultDamaged):
        read_lines(world.vault)
    assert midden(world, "audit", "--target", world.target).returncode == 22


def test_an_agent_cannot_break_the_audit_log_with_long_arguments(world: World) -> None:
    paths = ["/" + "/".join(f"{n}{m:060}" for m in range(30)) for n in range(40)]

    async def script(agent: Agent) -> None:
        for _ in range(2):
            await agent.call("plan_recovery", copies=paths, folders=paths, backup="9" * 4_000)

    within(world, script)
    assert len(read_lines(world.vault)) == 2
    longest = max(map(len, (world.vault / AGENTS / LOG).read_text().splitlines()))
    assert longest < 20_000


def test_a_long_line_is_followed_by_one_that_goes_on_from_it(world: World) -> None:
    for _ in range(2):
        append_line(world.vault, world.target, replace(LINE, detail="x" * 300_000))
    assert len(read_lines(world.vault)) == 2


def test_a_call_is_in_the_log_of_the_database_it_is_about(world: World) -> None:
    other = Protected(world.outside, world.folder / "vault-of-other")
    scope = replace(world.scope(), targets=(other, *world.scope().targets))

    async def script(agent: Agent) -> None:
        way = world.folder / "data" / "copies" / ".." / "memory.db"
        token = (await agent.call("plan_recovery", target=str(way), copies=[str(world.copy)]))[
            "plan"
        ]
        assert (await agent.call("apply_recovery", plan=token))["outcome"] == "published"
        await agent.call("apply_recovery", plan="plan-invented")

    play(build_server(scope, "test"), script, answer="yes")
    tools = {line.tool for line in read_lines(world.vault)}
    assert tools == {"plan_recovery", "tools/call", "apply_recovery"}  # the question is a call, too
    assert [line.tool for line in read_lines(other.vault)] == ["apply_recovery"] * 2


def test_a_line_that_was_cut_short_does_not_hide_those_after_it(world: World) -> None:
    append_line(world.vault, world.target, LINE)
    file = world.vault / AGENTS / LOG
    with file.open("ab") as log:
        log.write(b'{"at":"2026-03-12T0')
    append_line(world.vault, world.target, LINE)
    assert len(read_lines(world.vault)) == 2


def test_a_call_that_cannot_be_written_down_is_not_answered(world: World) -> None:
    append_line(world.vault, world.target, LINE)
    file = world.vault / AGENTS / LOG
    file.unlink()
    file.symlink_to(world.outside)
    answer = within(world, lambda agent: agent.call("list_backups"))
    assert answer["error"]["code"] == "AUDIT_FAILED"


def test_the_vault_is_named_where_it_is_not_the_usual_one(world: World) -> None:
    token = within(world, lambda agent: agent.plan(world))
    elsewhere = world.folder / "empty-vault"
    done = at_terminal("y", "approve", token, "--vault", world.vault, vault=elsewhere)
    assert done.returncode == 0, done.stderr
    assert at_terminal("y", "approve", token, vault=elsewhere).returncode == 2
