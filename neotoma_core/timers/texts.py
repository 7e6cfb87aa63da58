"""What systemd, launchd and cron read: every word arrives at the command as it is. Pure."""

import plistlib
from collections.abc import Mapping
from typing import Final

from neotoma_core.errors import UsageError
from neotoma_core.timers.timer import Timer, When
from neotoma_core.words.shell_words import quote_for_sh

# systemd reads its first word differently from those after it.
_SHELL: Final = '/bin/sh -c "exec \\"$$@\\"" sh'
_SUNDAY: Final = 0
_BYTES: Final = range(0xDC80, 0xDD00)


def systemd_units(timer: Timer) -> Mapping[str, bytes]:
    """Return the files of a systemd user timer, by name. A run that was missed is made up."""
    command = " ".join((_SHELL, *map(_systemd_word, timer.command)))
    service = (
        f"[Unit]\nDescription=Scheduled backup ({timer.name})\n\n"
        f"[Service]\nType=oneshot\nNice=10\nExecStart={command}\n"
    )
    calendar = f"[Timer]\nOnCalendar={_on_calendar(timer.when)}\nPersistent=true\n"
    texts = {
        f"{timer.name}.service": service,
        f"{timer.name}.timer": (
            f"[Unit]\nDescription=Scheduled backups ({timer.name})\n\n"
            f"{calendar}\n[Install]\nWantedBy=timers.target\n"
        ),
    }
    return {name: text.encode() for name, text in texts.items()}


def _on_calendar(when: When) -> str:
    if when.every == "hourly":
        return f"*-*-* *:{when.minute:02}:00"
    day = "Sun " if when.every == "weekly" else ""
    return f"{day}*-*-* {when.hour:02}:{when.minute:02}:00"


def _systemd_word(word: str) -> str:
    r"""Return a word in quotes: ``%`` and ``$`` doubled, control characters as ``\xff``."""
    plain = {'"': '\\"', "\\": "\\\\", "%": "%%", "$": "$$"}
    return '"' + "".join(plain.get(c) or _systemd_character(c) for c in word) + '"'


def _systemd_character(character: str) -> str:
    if ord(character) in _BYTES or character < " " or character == "\x7f":
        return f"\\x{character.encode(errors='surrogateescape')[0]:02x}"
    return character


def launchd_agent(timer: Timer) -> bytes:
    """Return the property list of a launchd agent.

    launchd makes up what it missed while the machine slept; what it missed while it was off is
    made up when somebody logs in. Raises UsageError for a path that it cannot hold.
    """
    _require_plain(timer, "launchd")
    at: dict[str, int] = {"Minute": timer.when.minute}
    if timer.when.every != "hourly":
        at["Hour"] = timer.when.hour
    if timer.when.every == "weekly":
        at["Weekday"] = _SUNDAY
    agent = {
        "Label": timer.name,
        "ProgramArguments": list(timer.command),
        "StartCalendarInterval": at,
        "RunAtLoad": True,
        "ProcessType": "Background",
        "StandardOutPath": str(timer.log),
        "StandardErrorPath": str(timer.log),
    }
    try:
        return plistlib.dumps(agent)
    except (ValueError, UnicodeEncodeError):
        raise _unspeakable(timer, "launchd") from None


def cron_lines(timer: Timer) -> bytes:
    """Return the lines of a crontab: a comment that marks them, and the one that runs.

    It runs every hour, and does nothing unless a backup is due: so what was missed is made up.
    Raises UsageError for a path that one line cannot hold.
    """
    _require_plain(timer, "a crontab")
    line = f"{quote_for_sh(*timer.command)} >>{quote_for_sh(timer.log)} 2>&1".replace("%", "\\%")
    text = f"{cron_mark(timer.name)}\n{timer.when.minute} * * * * {line}\n"
    return text.encode(errors="surrogateescape")


def cron_mark(name: str) -> str:
    """Return the comment in front of the line of a timer."""
    return f"# {name}: written by `midden schedule install`"


def without_cron_lines(crontab: bytes, name: str) -> bytes:
    """Return a crontab without the lines of a timer; everything else as it is."""
    lines = crontab.splitlines(keepends=True)
    mark = cron_mark(name).encode()
    gone = {
        place + ahead
        for place, line in enumerate(lines)
        if line.rstrip(b"\r\n") == mark
        for ahead in (0, 1)
    }
    return b"".join(line for place, line in enumerate(lines) if place not in gone)


def with_cron_lines(crontab: bytes, timer: Timer) -> bytes:
    """Return a crontab with the lines of a timer, in place of those it had."""
    others = without_cron_lines(crontab, timer.name)
    end = b"" if not others or others.endswith(b"\n") else b"\n"
    return others + end + cron_lines(timer)


def _require_plain(timer: Timer, where: str) -> None:
    if any(c < " " for word in (*timer.command, str(timer.log)) for c in word):
        raise _unspeakable(timer, where)


def _unspeakable(timer: Timer, where: str) -> UsageError:
    return UsageError(
        f"{timer.name}: a path has a character in it that cannot stand in {where}; rename it"
    )
