"""A replacement of the target that is stopped at a rename: old, or new and reported as such."""

import os
import subprocess
from pathlib import Path

import pytest

from neotoma_core.erasure.erase import erase
from neotoma_core.erasure.request import EraseRequest, erase_run
from neotoma_core.report.progress import Silent
from tests.support.archiving import archive
from tests.support.backing_up import Vault, copy_vault, fill, small_vault
from tests.support.databases import count
from tests.support.forks.asking import python

RUN = """
import signal, sys
from neotoma_core.cli import main
from neotoma_core.files.atomic import observe

left = int(sys.argv.pop(1))

def stop(step):
    global left
    left -= step == "renamed"
    if step == "renamed" and left == 0:
        signal.raise_signal(signal.SIGTERM)

with observe(stop):
    main()
"""
COMMANDS = {"backup": ("restore", "1"), "archive": ("restore", "--from-archive", "archive")}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    """What is restored has 38 observations; one was erased since."""
    world = small_vault(tmp_path_factory.mktemp("template"), 38)
    world.back_up()
    archive(world.target, world.folder / "archive")
    asked = EraseRequest(world.target, world.vault, entities=("e0003",))
    with erase_run(asked, world.now) as run:
        erase(run, lambda _: True, Silent())
    fill(world.target, 40)
    return world


@pytest.mark.parametrize("source", COMMANDS)
def test_a_replacement_told_to_stop_is_reported_or_did_not_happen(
    source: str, template: Vault, tmp_path: Path
) -> None:
    outcomes: list[str] = []
    while not outcomes or outcomes[-1] != "done":
        number = len(outcomes) + 1
        world = copy_vault(template, tmp_path / str(number))
        before = world.target.read_bytes()
        words = (*COMMANDS[source], "--target", str(world.target), "--vault", str(world.vault))
        done = subprocess.run(
            [python(), "-c", RUN, str(number), *words, "--yes"],
            capture_output=True,
            text=True,
            check=False,
            cwd=world.folder,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},  # noqa: TID251 - a child's
        )
        if world.target.read_bytes() == before:
            assert (done.returncode, "the target is as it was" in done.stderr) == (143, True)
            outcomes.append("old")
            continue
        assert count(world.target, "observations") == 37
        assert f"restored   {world.target}" in done.stdout
        assert "undo       midden restore" in done.stdout
        assert done.returncode in (0, 143)
        outcomes.append("new" if done.returncode else "done")
    assert outcomes[-2:] == ["new", "done"]
    assert set(outcomes[:-2]) == {"old"}
