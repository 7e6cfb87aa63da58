"""What a database may have in ``midden.toml``: how it is kept, and who is notified.

No message repeats a value: addresses hold passwords.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final

from neotoma_core.documents.spans import span_in
from neotoma_core.errors import UsageError
from neotoma_core.neotoma.encryption import Secret
from neotoma_core.words.nearest import nearest_named

EVERY: Final = ("hourly", "daily", "weekly")
"""How often backups can be scheduled."""
COUNTS: Final = ("last", "hourly", "daily", "weekly", "monthly")
_WITHIN: Final = "within"
_AT: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class Notifying:
    """Who hears of one database; None where the environment is to say it.

    ``notify``: addresses as Apprise has them; ``heartbeat``, ``push_heartbeat``: addresses that are
    asked for after each success; the ``_file`` ones name files that hold them. ``metrics_file``: of
    Prometheus.
    """

    notify: tuple[Secret, ...] | None = None
    notify_file: Path | None = None
    heartbeat: Secret | None = None
    heartbeat_file: Path | None = None
    push_heartbeat: Secret | None = None
    push_heartbeat_file: Path | None = None
    metrics_file: Path | None = None


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """How one database is kept.

    ``remotes``: those that are pushed to unattended, by name; None for all. ``retention``: counts
    of backups by kind, as text, and the period ``within`` which all are kept. ``every``, ``at``:
    when backups are taken. ``page``: the file that unattended runs keep the page of all protected
    databases in.
    """

    KEYS: ClassVar = (
        *("remotes", "retention", "schedule", "notify", "notify_file", "heartbeat"),
        *("heartbeat_file", "push_heartbeat", "push_heartbeat_file", "metrics_file", "page"),
    )
    remotes: tuple[str, ...] | None = None
    retention: Mapping[str, str] = field(default_factory=dict)
    every: str | None = None
    at: str | None = None
    page: Path | None = None
    notifying: Notifying = field(default_factory=Notifying)


def read_settings(file: Path, where: str, table: Mapping[str, object]) -> DatabaseSettings:
    """Read what a database has next to its place; raises UsageError."""

    def secret(key: str) -> Secret | None:
        return Secret(str(table[key])) if key in table else None

    def path(key: str) -> Path | None:
        return place_path(file, str(table[key])) if key in table else None

    _require_all(f"{file}: {where}", table, ("notify", "remotes"), _is_texts, "a list of texts")
    _require_all(f"{file}: {where}", table, ("heartbeat", "push_heartbeat"), _is_text, "an address")
    files = ("notify_file", "heartbeat_file", "push_heartbeat_file", "metrics_file", "page")
    _require_all(f"{file}: {where}", table, files, is_path, "a path")
    schedule = _schedule(file, f"{where}.schedule", table.get("schedule", {}))
    notify = _texts(table, "notify")
    return DatabaseSettings(
        remotes=_texts(table, "remotes"),
        retention=_retention(file, f"{where}.retention", table.get("retention", {})),
        every=schedule.get("every"),
        at=schedule.get("at"),
        page=path("page"),
        notifying=Notifying(
            notify=None if notify is None else tuple(map(Secret, notify)),
            notify_file=path("notify_file"),
            heartbeat=secret("heartbeat"),
            heartbeat_file=path("heartbeat_file"),
            push_heartbeat=secret("push_heartbeat"),
            push_heartbeat_file=path("push_heartbeat_file"),
            metrics_file=path("metrics_file"),
        ),
    )


def _retention(file: Path, where: str, value: object) -> Mapping[str, str]:
    table = table_of(file, where, value, "retention = { last = 10, daily = 7 }")
    require_known(file, f"{where}.", table, (*COUNTS, _WITHIN))
    _require_all(f"{file}: {where}", table, COUNTS, _is_count, "a number, 0 or more")
    _require_all(f"{file}: {where}", table, (_WITHIN,), _is_span, "a span of time, as 30d or 24h")
    return {key: str(said) for key, said in table.items()}


def _schedule(file: Path, where: str, value: object) -> Mapping[str, str]:
    table = table_of(file, where, value, 'schedule = { every = "daily", at = "03:00" }')
    require_known(file, f"{where}.", table, ("every", "at"))
    _require_all(
        f"{file}: {where}", table, ("every",), lambda said: said in EVERY, " or ".join(EVERY)
    )
    _require_all(f"{file}: {where}", table, ("at",), is_clock_time, "a time of day, as 03:00")
    return {key: str(said) for key, said in table.items()}


def is_clock_time(value: object) -> bool:
    """Return whether a value is a time of day, as 03:00."""
    return isinstance(value, str) and _AT.fullmatch(value) is not None


def table_of(file: Path, where: str, value: object, example: str) -> Mapping[str, object]:
    """Return a table; raises UsageError with an example where the value is something else."""
    if not isinstance(value, dict):
        raise UsageError(f"{file}: {where} must be a table, like {example}")
    return value


def require_known(
    file: Path, where: str, table: Mapping[str, object], known: tuple[str, ...]
) -> None:
    """Raise UsageError for a key that is not ``known``; it names the nearest that is."""
    for key in table:
        if key not in known:
            raise UsageError(f"{file}: {where}{key}: no such setting{nearest_named(key, known)}")


def is_path(value: object) -> bool:
    """Return whether a value can be a path."""
    return _is_text(value) and "\0" not in str(value)


def place_path(file: Path, words: str) -> Path:
    """Return a path as a file means it: from its folder, ``~`` being the home folder."""
    return file.absolute().parent / Path(words).expanduser()


def _require_all(
    where: str,
    table: Mapping[str, object],
    keys: tuple[str, ...],
    fits: Callable[[object], bool],
    meant: str,
) -> None:
    for key in keys:
        if key in table and not fits(table[key]):
            raise UsageError(f"{where}.{key} must be {meant}")


def _texts(table: Mapping[str, object], key: str) -> tuple[str, ...] | None:
    said = table.get(key)
    return tuple(map(str, said)) if isinstance(said, list) else None


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_span(value: object) -> bool:
    return isinstance(value, str) and span_in(value) is not None
