"""The timer of a database, as this user's system runs it."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from neotoma_core.errors import UsageError

if TYPE_CHECKING:
    from neotoma_core.timers.systems import System
    from neotoma_core.timers.timer import Timer, When


class Every(StrEnum):
    """How often backups are taken."""

    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"


class Means(StrEnum):
    """What runs the timer."""

    SYSTEMD = "systemd"
    LAUNCHD = "launchd"
    CRON = "cron"


def when_meant(every: Every, at: str) -> "When":
    """Return when a timer is to run; raises UsageError for a time that is not one."""
    from neotoma_core.settings.database_tables import is_clock_time
    from neotoma_core.timers.timer import when_of

    if not is_clock_time(at):
        raise UsageError(f"--at {at}: not a time of day; write it as 03:00")
    return when_of(every.value, at)


def find_timers(means: Means | None = None) -> "System | None":
    """Return what runs timers here; None where nothing does."""
    from neotoma_core.settings.environment import timer_folders
    from neotoma_core.timers.systems import find_system

    return find_system(*timer_folders(), means.value if means else None)


def required_system(means: Means | None) -> "System":
    """Return what runs timers here; raises UsageError where nothing does."""
    system = find_timers(means)
    if system is None:
        wanted = f"{means.value} is not there" if means else "neither systemd nor cron answers"
        raise UsageError(f"{wanted}; run `midden serve` instead, which needs no timer")
    return system


def timer_for(target: Path, vault: Path | None, when: "When") -> "Timer":
    """Return the timer of a database; what it runs needs no variable of this shell."""
    from neotoma_core.settings.environment import chosen_vault, chosen_words, log_folder
    from neotoma_core.timers.timer import Timer, timer_name

    name = timer_name(target)
    chosen = chosen_vault(vault)
    words = [sys.executable, "-m", "neotoma_core", *chosen_words()]
    words += ["schedule", "run", "--target", str(target.absolute())]
    words += ["--vault", str(chosen.absolute())] if chosen else []
    at = f"{when.hour:02}:{when.minute:02}"
    words += ["--every", when.every, "--at", at, "--if-due"]
    return Timer(name, tuple(words), when, log_folder() / f"{name}.log")


def unseen_variables() -> tuple[str, ...]:
    """Return the variables that are set here, matter to a backup, and no timer sees."""
    from neotoma_core.settings.alerts import ONLY_IN_ENVIRONMENT
    from neotoma_core.settings.environment import variable

    neotomas = ("NEOTOMA_KEY_FILE_PATH", "NEOTOMA_MNEMONIC", "NEOTOMA_RAW_STORAGE_DIR")
    named = (*ONLY_IN_ENVIRONMENT, *(f"{name}_FILE" for name in ONLY_IN_ENVIRONMENT), *neotomas)
    return tuple(name for name in named if variable(name))


def escaped_lines(text: bytes) -> str:
    """Return a text as it can be shown."""
    from neotoma_core.report.layout import escape_name

    return "\n".join(map(escape_name, text.decode(errors="surrogateescape").splitlines()))
