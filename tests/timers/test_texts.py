"""What systemd, launchd and cron are given: each word arrives as it is, whatever is in it."""

import os
import plistlib
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from cronsim import CronSim

from neotoma_core.errors import UsageError
from neotoma_core.timers.texts import (
    cron_lines,
    launchd_agent,
    systemd_units,
    with_cron_lines,
    without_cron_lines,
)
from neotoma_core.timers.timer import Timer, when_of
from tests.conftest import NOW

ODD = (
    "plain",
    "a=b",
    "a b",
    "it's",
    'say "x"',
    "100%",
    "%h %%n",
    "$HOME ${X} $$",
    "back\\slash\\",
    "semi;colon & pipe | <x>",
    "#not a comment",
    "täglich \u202e",
    "-dash",
    "*?[x]~",
    "`id`",
)
CONTROLS = ("new\nline", "tab\t", "\x01")
NOT_TEXT = "byte-\udcff"
WHENS = [when_of(every, "03:07") for every in ("hourly", "daily", "weekly")]


def timer(*words: str, folder: Path = Path("logs"), when: int = 1) -> Timer:
    return Timer("midden-x-1", (sys.executable, *words), WHENS[when], folder / "a log.txt")


def systemd_argv(service: bytes) -> list[str]:
    """Read ExecStart as systemd.service(5) says: quotes, C escapes, then % and $ doubled."""
    (line,) = re.findall(rb"^ExecStart=(.*)$", service, re.MULTILINE)
    words, escapes = [], {b"\\": b"\\", b'"': b'"'}
    for word in re.findall(rb'"((?:[^"\\]|\\.)*)"', line):
        plain = re.sub(
            rb"\\(x[0-9a-f]{2}|.)",
            lambda m: bytes([int(m[1][1:], 16)]) if m[1][0:1] == b"x" else escapes[m[1]],
            word,
        )
        assert not re.search(rb"(?<!%)%(?:%%)*(?!%)", plain)
        assert not re.search(rb"(?<!\$)\$(?:\$\$)*(?!\$)", plain)
        words.append(os.fsdecode(plain.replace(b"%%", b"%").replace(b"$$", b"$")))
    return words


def test_systemd_gets_every_word_as_it_is() -> None:
    words = (*ODD, *CONTROLS, NOT_TEXT)
    units = systemd_units(timer(*words))
    script, *argv = systemd_argv(units["midden-x-1.service"])
    assert argv == [sys.executable, *words]
    assert script == 'exec "$@"'
    assert b"\nExecStart=/bin/sh -c " in units["midden-x-1.service"]


def test_systemd_itself_accepts_the_units(tmp_path: Path) -> None:
    """The real program reads all three rhythms, and refuses a word that is quoted wrongly."""
    program = shutil.which("systemd-analyze")
    if program is None:  # elsewhere than on Linux
        assert sys.platform != "linux"
        return

    def verify(folder: Path) -> str:
        done = subprocess.run(
            [program, "--user", "--man=no", "verify", *sorted(map(str, folder.iterdir()))],
            capture_output=True,
            text=True,
            check=False,
            # Sockets of other units lie there, whose paths have to be short.
            env={
                "XDG_RUNTIME_DIR": tempfile.gettempdir(),
                "HOME": str(tmp_path),
                "PATH": "/usr/bin",
            },
        )
        return "" if done.returncode == 0 and not done.stderr else f"failed: {done.stderr}"

    for number, when in enumerate(WHENS):
        folder = tmp_path / str(number)
        folder.mkdir()
        for name, text in systemd_units(timer(*ODD, *CONTROLS, when=number)).items():
            (folder / name).write_bytes(text)
        assert verify(folder) == "", when
    service = folder / "midden-x-1.service"
    service.write_bytes(service.read_bytes().replace(b'"100%%"', b'"100%'))
    assert verify(folder).startswith("failed")


@pytest.mark.parametrize(
    ("number", "at"), list(enumerate(["*:07:00", "03:07:00", "Sun *-*-* 03:07:00"]))
)
def test_a_systemd_timer_makes_up_what_it_missed(number: int, at: str) -> None:
    text = systemd_units(timer(when=number))["midden-x-1.timer"].decode()
    assert f"{at}\n" in text
    assert "Persistent=true\n" in text
    assert "WantedBy=timers.target\n" in text


@pytest.mark.parametrize(
    ("number", "at"),
    list(
        enumerate([{"Minute": 7}, {"Hour": 3, "Minute": 7}, {"Hour": 3, "Minute": 7, "Weekday": 0}])
    ),
)
def test_launchd_gets_every_word_as_it_is(number: int, at: dict[str, int]) -> None:
    agent = plistlib.loads(launchd_agent(timer(*ODD, when=number)))
    assert agent["ProgramArguments"] == [sys.executable, *ODD]
    assert (agent["StartCalendarInterval"], agent["RunAtLoad"]) == (at, True)


def test_a_shell_gets_every_word_of_a_cron_line_as_it_is(tmp_path: Path) -> None:
    """As crontab(5) says: five fields, then a line for /bin/sh, in which a backslash hides %."""
    show = "import sys; print(ascii(sys.argv[1:]))"
    words = (*ODD, NOT_TEXT)
    mark, line = cron_lines(timer("-c", show, *words, folder=tmp_path)).splitlines()
    assert mark.startswith(b"# midden-x-1: ")
    *fields, command = line.split(b" ", 5)
    assert next(CronSim(b" ".join(fields).decode(), NOW)).minute == 7
    assert not re.search(rb"(?<!\\)%", command)
    subprocess.run(["/bin/sh", "-c", command.replace(b"\\%", b"%")], check=True)
    assert (tmp_path / "a log.txt").read_text().strip() == ascii(list(words))


@pytest.mark.parametrize("word", CONTROLS)
def test_a_path_that_cannot_be_written_is_refused(word: str) -> None:
    for written in (cron_lines, launchd_agent):
        with pytest.raises(UsageError, match="cannot stand in"):
            written(timer(word))
    with pytest.raises(UsageError, match="cannot stand in launchd"):
        launchd_agent(timer(NOT_TEXT))


def test_the_rest_of_a_crontab_stays_byte_for_byte() -> None:
    mine = b"MAILTO=me\r\n# ol\xe9\n5 4 * * * mine --x=50\\%"
    added = with_cron_lines(mine, timer("one"))
    assert added.startswith(mine + b"\n")
    again = with_cron_lines(added, timer("two"))
    assert again.count(b"# midden-x-1: ") == 1
    assert b" two " in again
    assert without_cron_lines(again, "midden-x-1") == mine + b"\n"
    assert without_cron_lines(again, "midden-x") == again
