"""What a status and a check find of unfinished stores, as tests compare it."""

from datetime import timedelta
from pathlib import Path

from neotoma_core.files.keys import KeySource
from neotoma_core.find.search import SearchRequest
from neotoma_core.find.status import check_status
from neotoma_core.report.progress import Silent
from neotoma_core.report.unfinished import UnfinishedStores
from neotoma_core.runs.begin import Whereabouts
from tests.conftest import NOW
from tests.support.payloads import note
from tests.support.rebuilding import check

A, B = note("a"), note("b")


def find_in(target: Path, **options: object) -> UnfinishedStores:
    """Return what both commands find, which is the same."""
    report = check(target, **options)
    assert report.unfinished is not None
    assert status_of(target) == report.unfinished
    return report.unfinished


def status_of(target: Path, key: KeySource | None = None) -> UnfinishedStores | None:
    where = SearchRequest((target,), key=key)
    return check_status(
        Whereabouts(target, target.parent / "vault", key), where, NOW, Silent()
    ).unfinished


def names_in(stores: UnfinishedStores) -> dict[str, object]:
    """Return what is named, without files."""
    return {
        "never": {store.source for store in stores.never_stored},
        "partly": {s.source: (s.stored, s.items) for s in stores.partly_stored},
        "hollow": set(stores.hollow),
    }


def never(*sources: str) -> dict[str, object]:
    return {"never": set(sources), "partly": {}, "hollow": set()}


def partly(**stores: tuple[int, int]) -> dict[str, object]:
    return {"never": set(), "partly": stores, "hollow": set()}


NOTHING = never()


def before_now(seconds: int) -> str:
    return (NOW - timedelta(seconds=seconds)).isoformat().replace("+00:00", ".000Z")
