"""A no has an exit code of its own; and what is wrong is said before anybody is asked."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from neotoma_core.cli.terminal.asking import DECLINED
from neotoma_core.ledger.file import read_ledger, record_erasure
from tests.cli.conftest import Midden
from tests.conftest import NOW
from tests.support.archiving import archive
from tests.support.backing_up import Vault, copy_vault, fill, small_vault

Words = list[str | Path]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    world = small_vault(tmp_path_factory.mktemp("template"), 5)
    for rows in (6, 7):
        world.back_up()
        archive(world.target, world.folder / "archive")
        fill(world.target, rows)
    return world


@pytest.fixture
def world(template: Vault, tmp_path: Path) -> Vault:
    return copy_vault(template, tmp_path)


ASKED: dict[str, Callable[[Vault], Words]] = {
    "restore": lambda _: ["restore", "1"],
    "restore from an archive": lambda w: ["restore", "--from-archive", w.folder / "archive"],
    "recover": lambda w: ["recover", "--backup", w.place()],
    "rebuild": lambda _: ["rebuild"],
    "erase": lambda _: ["erase", "--entity", "e0001"],
    "forget": lambda _: ["forget", "--erased"],
    "prune": lambda _: ["prune", "--keep-last", "1", "--apply"],
    "reset": lambda _: ["reset"],
}


NOT_DONE = {"forget": "no backup was changed"}


def names_in(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("command", ASKED)
def test_a_no_changes_nothing_and_is_no_success(
    command: str, form: str, world: Vault, at_terminal: Midden
) -> None:
    if command == "recover":
        fill(world.target, 4)
    if command == "forget":
        ledger = read_ledger(world.vault)
        record_erasure(ledger, "2026-03-12T00-00-00Z", NOW, {"entities": ["e0001"]})
    before = (world.target.read_bytes(), names_in(world.vault / "backups"))
    words = [*ASKED[command](world), *(["--json"] if form == "json" else [])]
    done = at_terminal(*words, "--target", world.target, typed="n")
    assert done.returncode == DECLINED, done.stderr
    assert ("type the name" if command == "reset" else "[y/N]") in done.stderr
    said = f"{NOT_DONE.get(command, 'nothing was changed')}\n"
    if form == "text":
        assert done.stdout.endswith(said)
        assert done.stdout.splitlines()[-1].startswith("declined   ")
    else:
        assert done.stderr.endswith(said)
        assert "declined   " in done.stderr
        document = json.loads(done.stdout)
        if "error" in document:  # it has no report by then
            assert (command, document["error"]["code"]) == ("restore", DECLINED)
        else:
            assert document["outcome"] in ("planned", "declined")
    assert (world.target.read_bytes(), names_in(world.vault / "backups")) == before


WRONG: dict[str, tuple[Words, int, str]] = {
    "restore": (["restore", "99"], 2, "no backup has that name"),
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
    assert "not a terminal" not in done.stderr


def test_where_nobody_can_be_asked_the_question_is_not_put(world: Vault, midden: Midden) -> None:
    done = midden("restore", "1", "--target", world.target)
    assert (done.returncode, "not a terminal" in done.stderr, "[y/N]" in done.stderr) == (
        *(2, True),
        False,
    )
