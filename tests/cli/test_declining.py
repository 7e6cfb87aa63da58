"""A no has an exit code of its own; and what is wrong is said before anybody is asked."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from neotoma_core.cli.asking import DECLINED
from tests.cli.conftest import Midden
from tests.ops.backing_up import Vault, copied, fill, small_vault

Words = list[str | Path]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    world = small_vault(tmp_path_factory.mktemp("template"), 5)
    world.back_up(drill=False)
    fill(world.target, 6)
    return world


@pytest.fixture
def world(template: Vault, tmp_path: Path) -> Vault:
    return copied(template, tmp_path)


ASKED: dict[str, Callable[[Vault], Words]] = {
    "restore": lambda _: ["restore", "1"],
    "recover": lambda w: ["recover", "--backup", w.place()],
    "rebuild": lambda _: ["rebuild"],
    "erase": lambda _: ["erase", "--entity", "e0001", "--json"],
}


@pytest.mark.parametrize("command", ASKED)
def test_a_no_changes_nothing_and_is_no_success(
    command: str, world: Vault, at_terminal: Midden
) -> None:
    if command == "recover":
        fill(world.target, 4)
    before = world.target.read_bytes()
    done = at_terminal(*ASKED[command](world), "--target", world.target, typed="n")
    assert done.returncode == DECLINED, done.stderr
    assert "[y/N]" in done.stderr
    if command == "erase":
        assert json.loads(done.stdout)["outcome"] == "planned"
    else:
        assert done.stdout.endswith("declined   nothing was changed\n")
    assert world.target.read_bytes() == before


WRONG: dict[str, tuple[Words, int, str]] = {
    "restore": (["restore", "99"], 2, "no backup is called so"),
    "recover": (["recover", "--backup", "nowhere.db"], 10, "there is no such file"),
    "erase": (["erase", "--entity", "e9"], 2, "no entity e9"),
    "rebuild": (["rebuild", "--entity", "e9"], 2, "no entity e9"),
}


@pytest.mark.parametrize("command", WRONG)
def test_what_is_wrong_is_said_also_where_nobody_can_be_asked(
    command: str, world: Vault, midden: Midden
) -> None:
    words, code, message = WRONG[command]
    done = midden(*words, "--target", world.target)
    assert (done.returncode, message in done.stderr) == (code, True), done.stderr
    assert "no terminal" not in done.stderr


def test_where_nobody_can_be_asked_the_question_is_not_put(world: Vault, midden: Midden) -> None:
    done = midden("restore", "1", "--target", world.target)
    assert (done.returncode, "no terminal" in done.stderr, "[y/N]" in done.stderr) == (
        *(2, True),
        False,
    )
