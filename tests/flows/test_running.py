"""A run whose process has ended is called crashed by the next one; no other run is."""

import fcntl
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from prefect import flow
from prefect.client.orchestration import SyncPrefectClient
from prefect.states import Completed, Running

from neotoma_core.files.locking import is_held
from neotoma_core.settings.environment import lock_folder
from pipelines import running
from pipelines.running import run_in_sight, settle_abandoned


@flow
def nothing() -> None:
    """Do nothing."""


@flow(persist_result=False)
def looked_at() -> tuple[str, bool]:
    """Return which run this is, and whether its lock is held while it runs."""
    with run_in_sight():
        (file,) = lock_folder("runs").glob("*.run")
        return file.name, is_held(file)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    place = lock_folder("runs")
    place.mkdir(parents=True)
    return place


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    emitted: list[str] = []
    monkeypatch.setattr(running, "emit_event", lambda event, *_, **__: emitted.append(event))
    return emitted


def run_under_way(client: SyncPrefectClient) -> UUID:
    run = client.create_flow_run(nothing, state=Running())
    return run.id


def state_of(client: SyncPrefectClient, run: UUID) -> str | None:
    return client.read_flow_run(run).state_name


@pytest.fixture
def held(folder: Path) -> Iterator[UUID]:
    """A run that a process is at work on."""
    run = uuid4()
    with (folder / f"{run}.run").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield run


def test_a_run_whose_process_ended_is_crashed_and_an_event(
    folder: Path, client: SyncPrefectClient, events: list[str]
) -> None:
    run = run_under_way(client)
    (folder / f"{run}.run").touch()
    assert settle_abandoned(folder) == (run,)
    assert state_of(client, run) == "Crashed"
    assert events == ["midden.run-abandoned"]
    assert list(folder.iterdir()) == []
    assert settle_abandoned(folder) == ()


def test_a_run_that_is_under_way_elsewhere_or_has_ended_is_left_as_it_is(
    folder: Path, held: UUID, client: SyncPrefectClient, events: list[str]
) -> None:
    elsewhere, ended = run_under_way(client), run_under_way(client)
    client.set_flow_run_state(ended, Completed(), force=True)
    (folder / f"{ended}.run").touch()
    assert settle_abandoned(folder) == ()
    assert state_of(client, elsewhere) == "Running"
    assert state_of(client, ended) == "Completed"
    assert [file.name for file in folder.iterdir()] == [f"{held}.run"]
    assert events == []


@pytest.mark.usefixtures("folder")
def test_while_a_flow_runs_its_lock_is_held_and_then_gone() -> None:
    name, was_held = looked_at()
    assert name.endswith(".run")
    assert was_held
    assert list(lock_folder("runs").iterdir()) == []


def test_where_locks_cannot_be_kept_the_flow_runs_all_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "lock_folder", lambda of: folder / "file" / of)
    (folder / "file").write_text("")

    @flow(persist_result=False)
    def runs() -> int:
        with run_in_sight():
            return 7

    assert runs() == 7
