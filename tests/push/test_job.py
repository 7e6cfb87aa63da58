"""The push that nobody watches: what it reports, and whom it tells."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from neotoma_core.errors import AnomalyFound, MiddenError, RemoteError, UsageError
from neotoma_core.neotoma.encryption import Secret
from neotoma_core.push.job import (
    PushJob,
    PushOutcome,
    announce_unknown,
    conclude_push,
    push_database,
    remotes_to_push,
)
from neotoma_core.report.progress import Silent
from neotoma_core.vault.announcing import Alerting
from tests.support.backing_up import fill
from tests.support.databases import entity, make_database
from tests.support.listening import listening
from tests.support.remotes import Machine

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
    fill(database, 60)
    (tmp_path / "nas").mkdir()
    made = Machine(tmp_path, f"file://{tmp_path}/nas", database)
    made.add()
    return made


def run(machine: Machine, alerting: Alerting, remote: str | None = None) -> PushOutcome:
    """Push as a flow does: what the task raised is what its result is."""
    now: datetime = machine.tick()
    job = PushJob(machine.database, machine.vault, now, remote)
    result: object
    try:
        result = push_database(job, None, Silent())
    except MiddenError as error:
        result = error
    return conclude_push(job, result, alerting)


def test_a_push_that_went_well_beats_and_says_the_lag(
    machine: Machine, alerting: Alerting, heard: list[str], tmp_path: Path
) -> None:
    outcome = run(machine, alerting)
    outcome.require_whole()
    assert outcome.report is not None
    assert outcome.report.outcome == "pushed"
    assert heard == ["/beat?remote_lag_seconds=0"]
    assert 'remote="there"} 0\n' in (tmp_path / "prom").read_text()


def test_a_loss_that_is_held_back_fails_and_is_told(
    machine: Machine, alerting: Alerting, heard: list[str]
) -> None:
    run(machine, alerting)
    machine.run("DELETE FROM observations WHERE id <> (SELECT min(id) FROM observations)")
    heard.clear()
    outcome = run(machine, alerting, "there")
    with pytest.raises(AnomalyFound, match="--remote there --accept-loss"):
        outcome.require_whole()
    assert outcome.report is not None
    note, beat = heard
    assert "neotoma.db: not all was pushed to there" in note
    assert "observations: 1, usually 60" in note
    assert beat == "/beat/fail?remote_lag_seconds=60"


def test_a_remote_that_is_gone_fails_and_is_told(
    machine: Machine, alerting: Alerting, heard: list[str], tmp_path: Path
) -> None:
    run(machine, alerting)
    (tmp_path / "nas").rename(tmp_path / "unplugged")
    heard.clear()
    outcome = run(machine, alerting)
    with pytest.raises(RemoteError, match="there is no such folder"):
        outcome.require_whole()
    note, beat = heard
    assert "not all was pushed to the remote" in note
    assert "there is no such folder" in note
    assert beat == "/beat/fail?remote_lag_seconds=60"
    assert outcome.untold == ()


def test_what_cannot_be_told_is_said(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    nobody = Alerting(
        (Secret("json://127.0.0.1:9/x"),), Secret("http://127.0.0.1:9/x"), tmp_path / "file" / "x"
    )
    outcome = run(machine, nobody, "elsewhere")
    with pytest.raises(UsageError, match="no remote has that name"):
        outcome.require_whole()
    assert outcome.untold == (
        "not every notification could be sent",
        "the heartbeat was not answered",
        "the metrics file cannot be written",
    )


def test_a_vault_that_cannot_say_its_remotes_is_told(
    machine: Machine, alerting: Alerting, heard: list[str]
) -> None:
    assert remotes_to_push(machine.vault) == ("there",)
    (machine.vault / "remotes.json").write_bytes(b"{")
    with pytest.raises(MiddenError) as failed:
        remotes_to_push(machine.vault)
    assert announce_unknown(alerting, machine.database, failed.value)
    assert "nothing was pushed" in heard[0]
