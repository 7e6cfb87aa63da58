"""Timers installed, looked at and removed, with stand-ins for programs that need a whole system.

They keep to what their manuals say: a crontab in a file, units that are enabled, agents loaded.
"""

import os
import plistlib
import sys
from pathlib import Path

import pytest

from neotoma_core.errors import FileUnusable, UsageError
from neotoma_core.timers.systems import (
    System,
    find_system,
    install_timer,
    planned_files,
    remove_timer,
    timer_state,
)
from neotoma_core.timers.timer import Timer, when_of

CRONTAB = """case "$1" in
-l) test -e "$PLACE/crontab" && exec cat "$PLACE/crontab"; exit 1;;
-) test ! -e "$PLACE/refused" && exec cat > "$PLACE/crontab"; exit 1;;
esac
exit 2
"""
SYSTEMCTL = """echo "$*" >> "$PLACE/said"
case "$2" in
show-environment) test -e "$PLACE/answers"; exit;;
daemon-reload) exit 0;;
enable) test -e "$PLACE/config/systemd/user/$4" && touch "$PLACE/active"; exit;;
is-active) test -e "$PLACE/active" && echo active && exit; echo inactive; exit 3;;
disable) rm -f "$PLACE/active"; exit 0;;
esac
exit 1
"""
LAUNCHCTL = """echo "$*" >> "$PLACE/said"
case "$1" in
bootout) rm "$PLACE/loaded"; exit;;
bootstrap) test -e "$3" && touch "$PLACE/loaded"; exit;;
print) test -e "$PLACE/loaded"; exit;;
esac
exit 1
"""
PROGRAMS = {"crontab": CRONTAB, "systemctl": SYSTEMCTL, "launchctl": LAUNCHCTL}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the stand-ins, what they keep, and the user's folders."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, script in PROGRAMS.items():
        (programs / name).write_text(f"#!/bin/sh\n{script}")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.setenv("PLACE", str(tmp_path))
    (tmp_path / "answers").touch()
    return tmp_path


def timer(place: Path, word: str = "a b") -> Timer:
    return Timer("midden-x-1", ("/bin/echo", word), when_of("daily", "03:00"), place / "logs" / "x")


@pytest.mark.parametrize("kind", ["systemd", "launchd", "cron"])
def test_a_timer_is_installed_replaced_and_removed(place: Path, kind: str) -> None:
    system = find_system(place / "config", place / "home", kind)  # type: ignore[arg-type]
    assert system is not None
    assert not timer_state(system, "midden-x-1").installed
    for word in ("one", "two"):
        install_timer(system, timer(place, word))
        state = timer_state(system, "midden-x-1")
        assert (state.installed, state.active) == (True, True)
    written = [Path(path) for path in planned_files(system, timer(place, "two"))]
    if kind == "cron":
        assert (place / "crontab").read_text().count("midden-x-1") == 1
        assert "two" in (place / "crontab").read_text()
    elif kind == "launchd":
        assert plistlib.loads(written[0].read_bytes())["ProgramArguments"][1] == "two"
    else:
        assert sorted(path.suffix for path in written) == [".service", ".timer"]
        assert '"two"' in next(p for p in written if p.suffix == ".service").read_text()
    assert remove_timer(system, "midden-x-1")
    assert not remove_timer(system, "midden-x-1")
    assert not timer_state(system, "midden-x-1").installed
    assert not any(path.exists() for path in written if kind != "cron")


def test_a_timer_that_was_stopped_is_not_alive(place: Path) -> None:
    system = System("systemd", place / "config" / "systemd" / "user")
    install_timer(system, timer(place))
    (place / "active").unlink()
    state = timer_state(system, "midden-x-1")
    assert (state.installed, state.active, state.said) == (True, False, "inactive")


def test_what_the_system_refuses_is_an_error(place: Path) -> None:
    (place / "refused").touch()
    with pytest.raises(FileUnusable, match="was not accepted"):
        install_timer(System("cron", place), timer(place))
    with pytest.raises(UsageError, match="enable --now midden-x-1"):
        install_timer(System("systemd", place / "elsewhere"), timer(place))


def test_what_answers_is_used(place: Path) -> None:
    if sys.platform == "darwin":
        return
    found = find_system(place / "config", place / "home")
    assert found == System("systemd", place / "config" / "systemd" / "user")
    (place / "answers").unlink()  # systemd is there, and not for this user
    found = find_system(place / "config", place / "home")
    assert found is not None
    assert found.kind == "cron"
    (place / "bin" / "crontab").unlink()
    assert find_system(place / "config", place / "home") is None
    assert find_system(place / "config", place / "home", "cron") is None
