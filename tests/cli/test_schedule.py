"""`midden schedule`: shown, asked, written; a run does all that is due and says so in lines."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from neotoma_core.backup.protection import protection_of
from neotoma_core.backup.retention import DEFAULT, RetentionPolicy
from neotoma_core.cli.app import app
from neotoma_core.errors import UsageError
from neotoma_core.schedule.kept import kept_of
from neotoma_core.settings.alerts import alerting, push_alerting
from neotoma_core.settings.environment import configuration
from neotoma_core.timers.timer import timer_name
from neotoma_core.vault.noted import keep_notes_in
from tests.conftest import NOW
from tests.support.databases import entity, make_database, observation
from tests.timers.test_systems import place  # noqa: F401 - a fixture


@pytest.fixture
def target(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:  # noqa: F811 - as above
    """A database of a user whose system has stand-ins for its programs; no settings but these."""
    for name in ("CONFIG", "STATE", "DATA"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(place / name.lower()))
    monkeypatch.setenv("HOME", str(place))
    monkeypatch.setenv("MIDDEN_VAULT", "")
    monkeypatch.setenv("MIDDEN_PROFILE", "")
    monkeypatch.setenv("MIDDEN_CONFIG", "")
    tables = {"entities": [entity("e1")], "observations": [observation("o1")]}
    yield make_database(place / "a folder" / "neotoma.db", tables)
    keep_notes_in(None)


def run(*words: str | Path) -> int:
    return app([*map(str, words)], standalone_mode=False) or 0


def test_it_is_shown_then_written_and_the_first_backup_is_taken_at_once(
    target: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    vault = target.parent / "kept"
    words = ("--target", target, "--vault", vault, "--with", "cron")
    assert run("schedule", "install", *words, "--dry-run") == 0
    shown = capsys.readouterr().out
    assert f"--target '{target}' --vault '{vault}' --every daily --at 03:00 --if-due" in shown
    crontab = target.parent.parent / "crontab"
    assert not crontab.exists()
    assert not vault.exists()
    assert run("schedule", "install", *words, "--yes") == 0
    said = capsys.readouterr().out
    assert f"{target}: backup " in said
    assert "1 observations, 1 entities, verified" in said
    assert timer_name(target) in crontab.read_text()
    assert protection_of(vault, NOW).good == 1
    assert run("schedule", "run", *words[:4], "--if-due") == 0
    assert "nothing is due" in capsys.readouterr().out
    assert run("schedule", "status", *words) == 0
    assert run("schedule", "remove", *words[:2], "--with", "cron", "--yes") == 0
    assert run("schedule", "status", *words, "--json") == 6
    state = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (state["installed"], state["alive"]) == (False, False)


def test_the_first_setup_offers_a_timer(target: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("init", "--target", target, "--vault", target.parent / "kept", "--yes")
    (target.parent.parent / "answers").unlink(missing_ok=True)  # cron, then
    assert run(*words, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["timer"] == timer_name(target)
    assert timer_name(target) in (target.parent.parent / "crontab").read_text()
    assert run(*words) == 0
    assert f"schedule   {timer_name(target)}, by cron" in capsys.readouterr().out
    assert protection_of(target.parent / "kept", NOW).backups == 1


def test_a_run_pushes_and_what_fails_stops_nothing_else(
    target: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (target.parent / "nas").mkdir()
    words = ("--target", target, "--vault", target.parent / "kept")
    run("remote", "add", "nas", f"file://{target.parent}/nas", *words, "--plain", "--yes")
    capsys.readouterr()
    assert run("schedule", "run", *words) == 0
    assert f"{target}: 2 rows and 0 raw files pushed to " in capsys.readouterr().out
    target.rename(target.with_name("gone.db"))
    assert run("schedule", "run", *words) == 11
    lines = capsys.readouterr().out.splitlines()
    assert all(line.startswith(f"{target}: ") for line in lines)
    assert len(lines) >= 2


def test_a_time_that_is_none_and_a_system_that_is_not_there_are_refused(target: Path) -> None:
    with pytest.raises(UsageError, match="--at 3 o'clock: not a time of day"):
        run("schedule", "install", "--target", target, "--at", "3 o'clock", "--yes")
    (target.parent.parent / "bin" / "crontab").unlink()
    with pytest.raises(UsageError, match="cron is not there; run `midden serve` instead"):
        run("schedule", "install", "--target", target, "--with", "cron", "--yes")


def test_what_is_configured_for_a_database_counts_for_its_schedule(
    target: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = target.parent / "midden.toml"
    (target.parent / "beat").write_text("https://example.org/beat\n")
    file.write_text(
        '[databases.main]\npath = "neotoma.db"\nretention = { daily = 3, within = "2d" }\n'
        'schedule = { every = "weekly", at = "04:30" }\nnotify = ["json://one"]\n'
        'push_heartbeat_file = "beat"\n'
    )
    monkeypatch.setenv("MIDDEN_CONFIG", str(file))
    monkeypatch.setenv("MIDDEN_NOTIFY_URLS", "json://two")
    monkeypatch.setenv("MIDDEN_HEARTBEAT_URL", "https://example.org/all")
    policy = kept_of(configuration(), target)
    assert (policy.daily, policy.within.days) == (3, 2)
    assert policy != DEFAULT == kept_of(configuration(), target.with_name("other.db"))
    assert isinstance(policy, RetentionPolicy)
    assert [one.reveal() for one in alerting(target).notify] == ["json://one"]
    assert [one.reveal() for one in alerting().notify] == ["json://two"]
    pushes = push_alerting(target).heartbeat
    assert pushes is not None
    assert pushes.reveal() == "https://example.org/beat"
    run("schedule", "install", "--dry-run", "--with", "cron")
    shown = capsys.readouterr().out
    assert f"--config '{file}' schedule run --target '{target}' --every weekly --at 04:30" in shown
    assert "\n30 * * * * " in shown
    assert "note       MIDDEN_NOTIFY_URLS is set here, and a timer does not see it" in shown
