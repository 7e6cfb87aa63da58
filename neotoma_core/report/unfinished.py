"""Stores that did not finish, as reports say it: counts in text, ids in JSON and findings."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from neotoma_core.report.findings import Finding
from neotoma_core.report.layout import label_line

SHOWN: Final = 1_000  # findings of each kind
KINDS: Final = ("never-stored", "partly-stored", "hollow-entity", "not-checked")

_SEND_AGAIN: Final = "send it again under a new idempotency key"
_CAUSES: Final = "a crash, a refused store or a plan"
_WHY_UNCHECKED: Final = {
    "encrypted": "encrypted and no key opens them",
    "unreadable": "damaged or not JSON",
    "too-large": "larger than 16 MiB",
    "too-many": "too many different items",
    "recent": "may still be being stored",
    "erased": "older than the last erasure",
    "not-reached": "only the newest were read; midden rebuild --check reads all",
}


@dataclass(frozen=True, slots=True)
class UnfinishedStore:
    """A payload with ``stored`` of its ``items`` in the log; ``file`` holds it."""

    source: str
    stored: int
    items: int
    file: str


@dataclass(frozen=True, slots=True)
class UnfinishedStores:
    """What stores left that did not finish; a refused store and a plan leave the same.

    ``payloads``: how many there are. ``hollow``: entities without an observation. ``unchecked``:
    payloads and entities that could not be checked, by reason.
    """

    payloads: int
    never_stored: tuple[UnfinishedStore, ...]
    partly_stored: tuple[UnfinishedStore, ...]
    hollow: tuple[str, ...]
    unchecked: Mapping[str, int]


def findings_of_unfinished(unfinished: UnfinishedStores) -> Iterator[Finding]:
    """Yield a finding per payload and entity, the first of each kind where they are very many."""
    for store in unfinished.never_stored[:SHOWN]:
        detail = f"none of its {store.items:,} items is stored; {_advice(store)}"
        yield Finding("never-stored", store.source, detail)
    for store in unfinished.partly_stored[:SHOWN]:
        detail = f"{store.stored:,} of its {store.items:,} items are stored; {_advice(store)}"
        yield Finding("partly-stored", store.source, detail)
    for entity in unfinished.hollow[:SHOWN]:
        detail = "an entity without an observation; storing its payload again fills it"
        yield Finding("hollow-entity", entity, detail)
    for reason, count in _unchecked_lines(unfinished):
        detail = f"{count:,} payloads or entities could not be checked: {_WHY_UNCHECKED[reason]}"
        yield Finding("not-checked", "stores", detail)


def lines_of_unfinished(unfinished: UnfinishedStores | None) -> Iterator[str]:
    """Yield that as text, in counts: nothing where every store finished."""
    if unfinished is None:
        return
    counts = (
        (len(unfinished.never_stored), "payloads never stored"),
        (len(unfinished.partly_stored), "partly stored"),
        (len(unfinished.hollow), "entities without an observation"),
    )
    found = ", ".join(f"{count:,} {what}" for count, what in counts if count)
    if found:
        yield label_line(
            "unfinished",
            f"{found}; if a payload is missed, {_SEND_AGAIN} (--json lists them; "
            "a refused store or a plan looks the same)",
        )
    unchecked = ", ".join(
        f"{count:,} {_WHY_UNCHECKED[why]}" for why, count in _unchecked_lines(unfinished)
    )
    if unchecked:
        yield label_line("unchecked", f"payloads and entities: {unchecked}")


def _advice(store: UnfinishedStore) -> str:
    return f"{_CAUSES}; if it is missed, {_SEND_AGAIN}: {store.file}"


def _unchecked_lines(unfinished: UnfinishedStores) -> list[tuple[str, int]]:
    """Return what could not be checked; a missing raw file is reported where raw files are."""
    return [(why, count) for why, count in unfinished.unchecked.items() if why in _WHY_UNCHECKED]
