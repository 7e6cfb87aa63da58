"""The commands of the README and of ``docs/``, pasted into a shell, one page after another.

Each page has a copy of the incident as its folder: wiped for the pages that recover it, else with
most of its data. The user is at a terminal and answers as asked.
"""

import os
import pty
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.pages import PAGES, README, blocks, command_lines
from tests.support.forks.asking import python

WIPED = {"README.md", "recover.md", "find.md"}
NAME = "neotoma.prod.db"
NOT_RUN = re.compile(
    r"python3 -m venv .* -m pytest$"  # CI does the same, see .ci/run
    r"|midden serve|prefect |export PREFECT_"  # tests/flows
    r"|midden remote rewrite NAME "  # tests/offsite
    r"|midden schedule install .*--dry-run"  # tests/cli/test_schedule.py: it needs a system
    r"|midden push .*--watch"  # tests/cli/test_watching.py
)
TYPED = {"reset": NAME, "init": "y\n\ny\nn"}  # the last: no schedule for whoever runs this
ENDS = {
    "midden doctor --target data/neotoma.prod.db --offline": 6,  # it has no vault yet
    "midden status data/neotoma.prod.db --check": 2,  # CRITICAL, for the same reason
    'midden backups --target data/neotoma.prod.db --accept 1 "cleaned up by hand"': 2,
}  # no loss
# The examples in the page of all commands are parsed, see test_examples.py.
PASTED = [page for page in PAGES if page.name != "commands.md"]
RUN = [page for page in PASTED if any(not NOT_RUN.match(line) for line in command_lines(page))]


class Shell:
    """A shell in a folder with the incident, with ``midden`` where the README installs it."""

    def __init__(self, folder: Path, incident: Path, *, wiped: bool) -> None:
        self.folder = Path(shutil.copytree(incident, folder / "home"))
        if not wiped:
            whole = self.folder / "backups" / "neotoma.prod.db.db"
            shutil.copyfile(whole, self.folder / "data" / NAME)
        programs = self.folder / ".venv" / "bin"
        programs.mkdir(parents=True)
        midden = programs / "midden"
        midden.write_text(f'#!/bin/sh\nexec "{python()}" -m neotoma_core "$@"\n')
        midden.chmod(0o755)
        self.environment = {
            **os.environ,  # noqa: TID251 - a child's
            "HOME": str(self.folder),
            **{f"XDG_{n}_HOME": str(folder / n.lower()) for n in ("CONFIG", "DATA", "STATE")},
            "PATH": f"{programs}:{os.environ['PATH']}",  # noqa: TID251 - a child's
            "TMPDIR": str(folder),
            "PYTHONPATH": str(README.parent),
        }

    def run(self, line: str, typed: str) -> subprocess.CompletedProcess[str]:
        ours, theirs = pty.openpty()
        try:
            os.write(ours, f"{typed}\n".encode())
            return subprocess.run(
                ["bash", "-c", line],
                cwd=self.folder,
                env=self.environment,
                capture_output=True,
                text=True,
                check=False,
                stdin=theirs,
            )
        finally:
            os.close(ours)
            os.close(theirs)


@pytest.mark.parametrize("page", RUN, ids=lambda page: page.name)
def test_the_commands_of_a_page_run(page: Path, unpacked: Path, tmp_path: Path) -> None:
    shell = Shell(tmp_path, unpacked, wiped=page.name in WIPED)
    for line in command_lines(page):
        if NOT_RUN.match(line):
            continue
        pasted = line.rpartition("&& ")[2]  # the demo, without the installation before it
        done = shell.run(pasted, TYPED.get(pasted.split()[1] if " " in pasted else "", "y"))
        assert done.returncode == ENDS.get(line, 0), f"{line}\n{done.stderr[-2000:]}"
        if pasted.endswith("midden demo"):
            (shown,) = blocks(README, "text")
            assert shown in done.stdout
