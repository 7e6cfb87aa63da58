"""What midden.toml says of agents: databases by name and folders; the command line wins."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from neotoma_core.agents.scope import Scope
from neotoma_core.agents.wire.server import build_server
from neotoma_core.cli.agents import mcp
from neotoma_core.errors import UsageError
from tests.support.agents import World, play
from tests.support.databases import make_database


@pytest.fixture
def file(world: World, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration with two databases, one of them for agents, and a folder."""
    make_database(world.folder / "data" / "other.db", {})
    path = world.folder / "midden.toml"
    path.write_text(
        '[databases.main]\npath = "data/memory.db"\nvault = "vault"\n'
        '[databases.other]\npath = "data/other.db"\n'
        '[agents]\ndatabases = ["main"]\nfolders = ["data/copies"]\n'
    )
    monkeypatch.setenv("MIDDEN_CONFIG", str(path))
    monkeypatch.delenv("MIDDEN_VAULT", raising=False)
    return path


def scope_of(targets: Sequence[Path] = (), folders: Sequence[Path] = ()) -> Scope:
    protected = mcp.protected_databases([*targets], None)
    return mcp.scope_of(
        protected, [*folders], allow_recover=True, allow_values=False, approve=False
    )


@pytest.mark.usefixtures("file")
def test_databases_and_folders_come_from_the_file(world: World) -> None:
    scope = scope_of()
    (target,) = scope.targets
    assert (target.path, target.vault) == (world.target, world.vault)
    assert scope.places == (world.copy.parent,)


@pytest.mark.usefixtures("file")
def test_the_command_line_wins_and_takes_names(world: World) -> None:
    other = world.folder / "data" / "other.db"
    scope = scope_of([Path("other")], [world.outside.parent])
    assert [one.path for one in scope.targets] == [other]
    assert scope.places == (world.outside.parent,)
    assert [one.path for one in scope_of([world.target]).targets] == [world.target]


def test_the_only_database_is_taken_and_of_several_none(file: Path, world: World) -> None:
    text = file.read_text().partition("[agents]")[0]
    file.write_text(text)
    with pytest.raises(UsageError, match=r"databases of \[agents\]"):
        scope_of()
    file.write_text(text.partition("[databases.other]")[0])
    scope = scope_of()
    assert [one.path for one in scope.targets] == [world.target]
    assert scope.places == (world.target.parent,)


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ('databases = ["SECRET"]', "number 1 is not the name of a database"),
        ('databases = ["main", "SECRET"]', "number 2 is not the name of a database"),
        ('databases = "main"', "agents.databases must be a list of texts"),
        ("folders = [1]", "agents.folders must be a list of texts"),
        ('folders = [""]', "agents.folders must be a list of texts"),
        ("allow_recover = true", "agents.allow_recover: no such setting"),
        ('folders = ["nowhere"]', "agents.folders .*nowhere: there is no such folder"),
    ],
)
def test_what_is_wrong_in_the_file_is_named(file: Path, said: str, wrong: str) -> None:
    file.write_text(f"{file.read_text().partition('[agents]')[0]}[agents]\n{said}\n")
    with pytest.raises(UsageError, match=wrong) as refused:
        scope_of([Path("main")])
    assert "SECRET" not in str(refused.value)


def test_an_agent_cannot_write_itself_into_the_file(file: Path, world: World) -> None:
    """The scope is read once, at the start: what is in the file later does not count."""
    scope = scope_of()
    file.write_text(file.read_text().replace("data/copies", "outside"))
    folders = [str(world.outside.parent)]
    answer = play(
        build_server(scope, "test"), lambda agent: agent.call("find_copies", folders=folders)
    )
    assert answer["error"]["code"] == "OUT_OF_SCOPE"
