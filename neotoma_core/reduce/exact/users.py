"""Whose snapshot it is: Neotoma shares ids between users, and has one row for each id.

Upstream: local_db_adapter.ts, snapshot_computation.ts (messy rules, b).
"""

from collections.abc import Sequence
from typing import Final, Protocol, TypeVar

Owner = tuple[str | None] | None
NOBODY: Final[Owner] = None
"""The user of the snapshot row that is there; ``NOBODY`` where none is."""


class _Observed(Protocol):
    """A row that belongs to a user and was made at a time."""

    @property
    def user_id(self) -> str | None: ...
    @property
    def observed_at(self) -> str | None: ...
    @property
    def created_at(self) -> str | None: ...
    @property
    def rowid(self) -> int: ...


Row = TypeVar("Row", bound=_Observed)


def by_user(rows: Sequence[Row], owner: Owner) -> list[list[Row]]:
    """Return rows by user, in the order in which users have a claim to the snapshot.

    First the ``owner`` of the row that is there; then whose newest observation is the newest, by
    observed_at and created_at as texts and by row number; a real user before none.
    """
    users: dict[str | None, list[Row]] = {}
    for row in rows:
        users.setdefault(row.user_id, []).append(row)
    newest_first = sorted(users, key=lambda user: max(map(_novelty, users[user])), reverse=True)
    real_first = sorted(newest_first, key=lambda user: user is None)
    return [users[user] for user in sorted(real_first, key=lambda user: (user,) != owner)]


def _novelty(row: _Observed) -> tuple[bool, str, bool, str, int]:
    observed, created = row.observed_at, row.created_at
    return (
        *(observed is not None, observed or ""),
        *(created is not None, created or ""),
        row.rowid,
    )
