"""Which evidence stays and which goes, with reasons. Pure: ``now`` is an argument."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

KEPT_FOR: Final = timedelta(days=30)
LAST_RUN: Final = "of the last run"


@dataclass(frozen=True, slots=True)
class EvidenceFacts:
    """What of a run's evidence matters before its rows are compared.

    ``taken_at``: UTC; None where its name does not say. ``unfinished``: the run did not come to its
    end. ``problem``: why it cannot be compared, empty where it can.
    """

    run: str
    taken_at: datetime | None
    unfinished: bool
    problem: str = ""


def reasons_to_keep(
    evidence: Sequence[EvidenceFacts], *, within: timedelta, now: datetime, held: str = ""
) -> Mapping[str, tuple[str, ...]]:
    """Return why evidence stays, by run; none for what may go if other copies have its rows.

    That of the last run always stays, and so does that of a run that did not finish, and what is
    younger than ``within`` or dated after ``now``. ``held``: why nothing may go at all.
    """
    last = max((one.run for one in evidence), default=None)
    return {one.run: tuple(_why(one, last, within, now, held)) for one in evidence}


def _why(
    one: EvidenceFacts, last: str | None, within: timedelta, now: datetime, held: str
) -> Sequence[str]:
    reasons = [held] if held else []
    if one.run == last:
        reasons.append(LAST_RUN)
    if one.unfinished:
        reasons.append("its run did not finish")
    if one.taken_at is None:
        reasons.append("its name does not say when it was taken")
    elif one.taken_at > now:
        reasons.append("dated after now")
    elif one.taken_at > now - within:
        reasons.append(f"younger than {within // timedelta(days=1)} d")
    if one.problem:
        reasons.append(one.problem)
    return reasons
