"""Who hears of a watch: the terminal always, the notifiers once, the heartbeat at every look."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from neotoma_core.cli.remote.watching import Listening
from neotoma_core.errors import RemoteUnreachable
from neotoma_core.push.report import PushReport, push_text
from neotoma_core.push.request import PushRequest
from neotoma_core.vault.announcing import Alerting
from tests.conftest import NOW
from tests.support.databases import entity, make_database
from tests.support.listening import listening
from tests.support.remotes import Machine, memory_url

# Apprise's own, about a module that it imports.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


@pytest.fixture
def heard() -> list[str]:
    return []


@pytest.fixture
def alerting(heard: list[str], tmp_path: Path) -> Iterator[Alerting]:
    with listening(heard, tmp_path / "prom") as told:
        yield told


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    database = make_database(tmp_path / "neotoma.db", {"entities": [entity("e1")]})
    made = Machine(tmp_path, memory_url(), database)
    made.add()
    return made


@pytest.fixture
def watch(machine: Machine, alerting: Alerting) -> Listening:
    return Listening(PushRequest(machine.database, machine.vault), alerting, push_text)


def test_a_remote_that_does_not_answer_is_said_each_time_and_notified_of_once(
    watch: Listening, heard: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    error = RemoteUnreachable("s3://bucket", "it does not answer")
    for failures in range(1, 9):
        watch.on_failure(error, failures, 2.0**failures)
    said = capsys.readouterr().err.splitlines()
    assert said[1] == (
        "midden: remote s3://bucket: it does not answer; check the network and run again; "
        "trying again in 4 s"
    )
    assert len(said) == 8
    (note,) = heard
    assert "neotoma.db: nothing is pushed for now" in note


def test_each_look_beats_with_the_lag_and_writes_the_metrics(
    watch: Listening, machine: Machine, heard: list[str], tmp_path: Path
) -> None:
    watch.on_look(NOW, good=False)
    machine.push()
    watch.on_look(machine.now, good=True)
    assert heard == ["/beat/fail?remote_lag_seconds=inf", "/beat?remote_lag_seconds=0"]
    assert 'midden_remote_lag_seconds{vault="vault",remote="there"} 0\n' in (
        (tmp_path / "prom").read_text()
    )


def test_a_loss_is_printed_each_time_and_notified_of_once(
    watch: Listening, machine: Machine, heard: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    pushed: PushReport = machine.push()
    held = replace(pushed, outcome="held", alarms=("observations: 1, usually 60",))
    for report in (pushed, held, held, pushed, held):
        watch.on_push(report)
    assert capsys.readouterr().out.count("held back") == 3
    assert [note.count("not all is pushed") for note in heard] == [1, 1]
