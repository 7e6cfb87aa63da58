"""What was erased explains a loss, as far as it was there before and the archive has it."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from neotoma_core.archive.append import ArchiveRequest, append_database, default_archive
from neotoma_core.comparison.anomaly import Counts
from neotoma_core.erasure.erase import erase
from neotoma_core.erasure.request import EraseRequest, erase_run
from neotoma_core.ledger.explained import find_losses
from neotoma_core.report.progress import Silent
from neotoma_core.runs.begin import Whereabouts
from neotoma_core.runs.private_copy import private_copy
from tests.conftest import NOW
from tests.support.databases import entity, make_database, observation

HOUR = timedelta(hours=1)
ERASED = 40
LEFT = 60


def counts_of(observations: int) -> Counts:
    return Counts(observations, {"observations": observations})


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    """A vault that archived 100 observations and erased 40 of them an hour later."""
    database = make_database(
        tmp_path / "neotoma.db",
        {
            "entities": [entity("stays"), entity("goes")],
            "observations": [
                *(observation(f"stays-{number}", "stays") for number in range(LEFT)),
                *(observation(f"goes-{number}", "goes") for number in range(ERASED)),
            ],
        },
    )
    vault = tmp_path / "vault"
    where = Whereabouts(database, vault)
    with private_copy(where, NOW) as copy:
        append_database(copy, ArchiveRequest(default_archive(vault)), Silent())
    with erase_run(EraseRequest(database, vault, entities=("goes",)), NOW + HOUR) as run:
        erase(run, lambda _: True, Silent())
    return vault


def losses(vault: Path, now: int, *history: tuple[datetime, int]) -> list[str]:
    before = [(moment, counts_of(observations)) for moment, observations in history]
    return [alarm.what for alarm in find_losses(counts_of(now), before, vault)]


def test_what_was_erased_since_is_no_loss(vault: Path) -> None:
    assert losses(vault, LEFT, (NOW, LEFT + ERASED)) == []


def test_what_is_missing_beyond_that_is_one(vault: Path) -> None:
    assert losses(vault, LEFT // 2, (NOW, LEFT + ERASED)) == ["observations"]


def test_what_was_counted_after_the_erasure_is_not_explained_by_it(vault: Path) -> None:
    assert losses(vault, LEFT // 2, (NOW + 2 * HOUR, LEFT)) == ["observations"]


def test_without_the_archive_nobody_can_tell(vault: Path, tmp_path: Path) -> None:
    (vault / "archive").rename(tmp_path / "moved")
    assert losses(vault, LEFT, (NOW, LEFT + ERASED)) == ["observations"]
