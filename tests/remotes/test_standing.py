"""How far remotes are behind, by what is on this machine alone."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from neotoma_core.errors import RemoteUnreachable
from neotoma_core.find.search import SearchRequest
from neotoma_core.find.status import check_status
from neotoma_core.find.text import status_text
from neotoma_core.remotes.known import REMOTES
from neotoma_core.remotes.standing import STATE, keep_push, standings_of
from neotoma_core.report.inventory import StatusReport
from neotoma_core.report.progress import Silent
from neotoma_core.report.remotes import RemoteStanding
from neotoma_core.runs.begin import Whereabouts
from neotoma_core.schedule.alerting import announce_outcome
from neotoma_core.stores.wrapped import Wrapped
from neotoma_core.vault.announcing import Alerting
from tests.support.databases import entity, make_database, observation
from tests.support.remotes import Machine, memory_url


class Gone(Wrapped):
    """A store that answers nothing."""

    def asking(self, _: int = 1) -> None:
        raise RemoteUnreachable(self.url, "it does not answer")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    rows = {"entities": [entity("e1")], "observations": [observation("o1")]}
    made = Machine(tmp_path, memory_url(), make_database(tmp_path / "neotoma.db", rows))
    made.add()
    return made


def standing(machine: Machine, later: timedelta = timedelta()) -> RemoteStanding:
    (found,) = standings_of(machine.vault, machine.database, machine.now + later).remotes
    return found


def status(machine: Machine) -> StatusReport:
    where = SearchRequest((machine.folder / "neotoma.db",))
    asked = Whereabouts(machine.database, machine.vault)
    return check_status(asked, where, machine.now, Silent())


def test_a_remote_that_was_never_pushed_to_says_so_with_the_command(machine: Machine) -> None:
    found = standing(machine)
    assert (found.pushed_at, found.lag_seconds) == (None, None)
    said = status_text(status(machine), machine.now)
    assert f"there: never pushed; next: midden push --target {machine.database}" in said
    assert "--remote there" in said


def test_the_lag_is_since_the_remote_had_everything(machine: Machine) -> None:
    machine.push()
    first = machine.now
    found = standing(machine, timedelta(hours=3, minutes=5))
    assert (found.pushed_at, found.whole_at) == (first, first)
    assert found.lag_seconds == 3 * 3600 + 300
    machine.push()  # nothing is new: that is known of now, and nothing was pushed
    found = standing(machine)
    assert (found.pushed_at, found.whole_at) == (first, machine.now)
    assert found.lag_seconds == 0
    machine.now += timedelta(days=2)
    assert "there: up to date 2 d 0 h ago" in status_text(status(machine), machine.now)


def test_a_push_that_failed_is_named_and_the_lag_grows(machine: Machine) -> None:
    machine.push()
    whole = machine.now
    machine.around = Gone(machine.store)
    with pytest.raises(RemoteUnreachable):
        machine.push()
    found = standing(machine)
    assert (found.failing, found.whole_at) == ("it does not answer", whole)
    assert found.lag_seconds == 60
    said = status_text(status(machine), machine.now)
    assert "the last push failed: it does not answer; next: midden push" in said


def test_without_a_note_the_last_entry_of_the_own_log_says_when(machine: Machine) -> None:
    machine.push()
    (machine.remote().cache / STATE).unlink()
    found = standing(machine, timedelta(minutes=7))
    assert (found.pushed_at, found.lag_seconds) == (machine.now, 420)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b'{"looked_at": 1}', b"[]", b"\0" * 99]
)
def test_what_is_damaged_is_named_and_nothing_fails(machine: Machine, content: bytes) -> None:
    machine.push()
    cache = machine.remote().cache
    entry = next(cache.glob("log/*/*"))
    for path in (cache / STATE, entry):
        path.write_bytes(content)
    found = standing(machine)
    assert set(found.damaged) == {str(cache / STATE), str(entry)}
    assert found.lag_seconds is None
    said = status_text(status(machine), machine.now)
    assert f"damaged: {entry}" in said
    assert "not known when it was pushed to" in said


def test_a_folder_in_the_place_of_a_file_is_named(machine: Machine) -> None:
    machine.push()
    cache = machine.remote().cache
    (cache / STATE).unlink()
    (cache / STATE).mkdir()
    assert standing(machine).damaged == (str(cache / STATE),)


@pytest.mark.parametrize("content", [b"", b"{", b'{"remotes": [{"name": "../x"}]}'])
def test_a_damaged_list_of_remotes_is_named(machine: Machine, content: bytes) -> None:
    (machine.vault / REMOTES).write_bytes(content)
    found = standings_of(machine.vault, machine.database, machine.now)
    assert found.remotes == ()
    assert str(machine.vault / REMOTES) in (found.problem or "")
    assert "remotes    not known: " in status_text(status(machine), machine.now)


def test_a_key_of_a_log_that_is_none_is_no_crash(machine: Machine) -> None:
    machine.push()
    place = machine.vault / REMOTES
    place.write_text(re.sub('AGE-SECRET-KEY-[^"]+', "AGE-SECRET-KEY-NONE", place.read_text()))
    found = standings_of(machine.vault, machine.database, machine.now)
    assert "the key of there is not a key" in (found.problem or "")


def test_a_vault_without_remotes_says_nothing(tmp_path: Path) -> None:
    rows = {"entities": [entity("e1")], "observations": [observation("o1")]}
    machine = Machine(tmp_path, memory_url(), make_database(tmp_path / "neotoma.db", rows))
    assert "\nremote " not in status_text(status(machine), machine.now)


def test_the_report_has_it_as_json(machine: Machine) -> None:
    machine.push()
    (said,) = json.loads(status(machine).to_json())["remotes"]["remotes"]
    assert (said["name"], said["lag_seconds"], said["failing"]) == ("there", 0.0, "")


def test_a_note_that_goes_back_in_time_is_no_negative_lag(machine: Machine) -> None:
    machine.push()
    keep_push(machine.remote().cache, machine.now + timedelta(hours=1))
    assert standing(machine).lag_seconds == 0


def test_the_metrics_have_the_lag_in_seconds(machine: Machine) -> None:
    file = machine.folder / "midden.prom"
    alerting = Alerting(metrics=file)

    def read_metrics() -> str:
        now = machine.now + timedelta(seconds=90)
        assert not announce_outcome(alerting, machine.vault, machine.database, now, success=True)
        return file.read_text()

    assert 'midden_remote_lag_seconds{vault="vault",remote="there"} +Inf\n' in read_metrics()
    machine.push()
    said = read_metrics()
    assert 'midden_remote_lag_seconds{vault="vault",remote="there"} 90\n' in said
    pushed = f"{machine.now.timestamp():.15g}"
    assert (
        f'midden_remote_last_push_timestamp_seconds{{vault="vault",remote="there"}} {pushed}'
        in (said)
    )
    assert 'midden_remote_failing{vault="vault",remote="there"} 0\n' in said
