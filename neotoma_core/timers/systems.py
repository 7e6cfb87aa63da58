"""The system's timers: installed, looked at, removed.

Written whole before the system hears of it; removed only once the system has let it go.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

from neotoma_core.errors import FileUnusable, UsageError
from neotoma_core.files.atomic import write_file
from neotoma_core.files.private import make_folders
from neotoma_core.timers.texts import (
    cron_lines,
    cron_mark,
    launchd_agent,
    systemd_units,
    with_cron_lines,
    without_cron_lines,
)
from neotoma_core.timers.timer import Timer

Kind = Literal["systemd", "launchd", "cron"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
_PATIENCE_SECONDS: Final = 30
_PROGRAMS: Final[Mapping[Kind, str]] = {
    "systemd": "systemctl",
    "launchd": "launchctl",
    "cron": "crontab",
}


@dataclass(frozen=True, slots=True)
class System:
    """What runs timers here. ``folder``: where its files are; a crontab has none."""

    kind: Kind
    folder: Path


@dataclass(frozen=True, slots=True)
class TimerState:
    """Whether a timer is installed, and whether the system will run it; ``said``: in its words."""

    installed: bool
    active: bool
    said: str


def find_system(configs: Path, home: Path, wanted: Kind | None = None) -> System | None:
    """Return what runs timers of this user; None where nothing does.

    ``configs``: the user's configuration folder. ``wanted``: the kind that was asked for.
    """
    kinds: tuple[Kind, ...] = ("launchd",) if sys.platform == "darwin" else ("systemd", "cron")
    folders: Mapping[Kind, Path] = {
        "systemd": configs / "systemd" / "user",
        "launchd": home / "Library" / "LaunchAgents",
        "cron": home,
    }
    if wanted is not None:
        return System(wanted, folders[wanted]) if shutil.which(_PROGRAMS[wanted]) else None
    there = (kind for kind in kinds if _answers(kind))
    return next((System(kind, folders[kind]) for kind in there), None)


def _answers(kind: Kind) -> bool:
    if shutil.which(_PROGRAMS[kind]) is None:
        return False
    return kind != "systemd" or _ran("systemctl", "--user", "show-environment")[0] == 0


def planned_files(system: System, timer: Timer) -> Mapping[str, bytes]:
    """Return what an installation writes, by the path of each file, or `crontab`."""
    if system.kind == "systemd":
        return {str(system.folder / n): text for n, text in systemd_units(timer).items()}
    if system.kind == "launchd":
        return {str(_agent(system, timer.name)): launchd_agent(timer)}
    return {"crontab": cron_lines(timer)}


def install_timer(system: System, timer: Timer) -> None:
    """Install a timer, in place of the one of that name. Raises FileUnusable, UsageError."""
    if system.kind == "cron":
        make_folders(timer.log.parent)
        _write_crontab(with_cron_lines(_crontab(), timer))
        return
    for path, text in planned_files(system, timer).items():
        make_folders(Path(path).parent)
        write_file(Path(path), text)
    if system.kind == "systemd":
        _require("systemctl", "--user", "daemon-reload")
        _require("systemctl", "--user", "enable", "--now", f"{timer.name}.timer")
        return
    make_folders(timer.log.parent)
    _ran("launchctl", "bootout", f"{_domain()}/{timer.name}")
    _require("launchctl", "bootstrap", _domain(), str(_agent(system, timer.name)))


def remove_timer(system: System, name: str) -> bool:
    """Remove a timer; return whether there was one. Raises FileUnusable."""
    if not timer_state(system, name).installed:
        return False
    if system.kind == "cron":
        _write_crontab(without_cron_lines(_crontab(), name))
    elif system.kind == "systemd":
        _require("systemctl", "--user", "disable", "--now", f"{name}.timer")
        for unit in _units(system, name):
            unit.unlink(missing_ok=True)
        _require("systemctl", "--user", "daemon-reload")
    else:
        _ran("launchctl", "bootout", f"{_domain()}/{name}")
        _agent(system, name).unlink(missing_ok=True)
    return True


def timer_state(system: System, name: str) -> TimerState:
    """Return whether a timer is there and alive. Raises FileUnusable."""
    if system.kind == "cron":
        there = cron_mark(name).encode() in _crontab().splitlines()
        return TimerState(there, there, "in the crontab" if there else "not in the crontab")
    if system.kind == "systemd":
        installed = all(unit.is_file() for unit in _units(system, name))
        code, said = _ran("systemctl", "--user", "is-active", f"{name}.timer")
        return TimerState(installed, installed and code == 0, said.decode().strip() or "inactive")
    installed = _agent(system, name).is_file()
    code, _ = _ran("launchctl", "print", f"{_domain()}/{name}")
    return TimerState(installed, installed and code == 0, "loaded" if code == 0 else "not loaded")


def _units(system: System, name: str) -> tuple[Path, ...]:
    return tuple(system.folder / f"{name}.{kind}" for kind in ("timer", "service"))


def _agent(system: System, name: str) -> Path:
    return system.folder / f"{name}.plist"


def _domain() -> str:
    return f"gui/{os.getuid()}"


def _crontab() -> bytes:
    """Return the user's crontab; it ends with 1 where there is none."""
    code, text = _ran("crontab", "-l")
    if code not in (0, 1):
        raise FileUnusable(Path("crontab"), "cannot be read", "run crontab -l to see why")
    return text if code == 0 else b""


def _write_crontab(text: bytes) -> None:
    if _ran("crontab", "-", given=text)[0]:
        raise FileUnusable(Path("crontab"), "was not accepted", "run crontab -e to see why")


def _require(*words: str) -> None:
    if _ran(*words)[0]:
        said = " ".join(words)
        raise UsageError(f"`{said}` failed; run it to see why, or use `midden serve`")


def _ran(*words: str, given: bytes | None = None) -> tuple[int, bytes]:
    """Run a program of the system; return its exit code and what it printed."""
    return _run(words, given)


def _run(words: Sequence[str], given: bytes | None) -> tuple[int, bytes]:
    try:
        done = subprocess.run(  # noqa: S603 - words of our own, and no shell
            words,
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return 127, b""
    return done.returncode, done.stdout
