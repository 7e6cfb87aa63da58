"""Who is notified of a database: what ``midden.toml`` says of it, else the environment."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from neotoma_core.errors import UsageError, reason_of
from neotoma_core.files.small import read_small
from neotoma_core.neotoma.encryption import Secret
from neotoma_core.settings.configuration import NAME
from neotoma_core.settings.database_tables import Notifying
from neotoma_core.settings.environment import configuration, variable
from neotoma_core.vault.announcing import Alerting

_NOTIFY: Final = "MIDDEN_NOTIFY_URLS"
_HEARTBEAT: Final = "MIDDEN_HEARTBEAT_URL"
_PUSH_HEARTBEAT: Final = "MIDDEN_PUSH_HEARTBEAT_URL"
_METRICS: Final = "MIDDEN_METRICS_FILE"
ONLY_IN_ENVIRONMENT: Final = (_NOTIFY, _HEARTBEAT, _PUSH_HEARTBEAT, _METRICS)
"""Variables that a timer of the system does not see."""


def alerting(target: Path | None = None) -> Alerting:
    """Return who is notified of alarms and successes of a database.

    MIDDEN_NOTIFY_URLS: addresses as Apprise has them, one a line or parted by spaces; so is
    MIDDEN_HEARTBEAT_URL. Either may be in a file that the same name with ``_FILE`` names.
    MIDDEN_METRICS_FILE: where the Prometheus text file goes. What the configuration says of the
    database stands in their place. Raises UsageError.
    """
    return alerting_by(_own(target))


def alerting_by(own: Notifying) -> Alerting:
    """Return who is notified, by what is configured of a database. Raises UsageError."""
    metrics = variable(_METRICS)
    return Alerting(
        _addresses(own.notify, own.notify_file, "notify_file", _NOTIFY),
        _first(_addresses(_one(own.heartbeat), own.heartbeat_file, "heartbeat_file", _HEARTBEAT)),
        own.metrics_file or (Path(metrics) if metrics else None),
    )


def push_alerting(target: Path | None = None) -> Alerting:
    """Return who is notified of pushes: as for backups, but with a heartbeat of its own.

    MIDDEN_PUSH_HEARTBEAT_URL, or ``_FILE``: a push that goes well says nothing of backups, so it
    must not answer for them. Raises UsageError.
    """
    return push_alerting_by(_own(target))


def push_alerting_by(own: Notifying) -> Alerting:
    """Return who is notified of pushes, by what is configured of a database; UsageError."""
    beats = _addresses(
        _one(own.push_heartbeat), own.push_heartbeat_file, "push_heartbeat_file", _PUSH_HEARTBEAT
    )
    return replace(alerting_by(own), heartbeat=_first(beats))


def _own(target: Path | None) -> Notifying:
    known = configuration().at(target) if target is not None else None
    return known.settings.notifying if known else Notifying()


def _addresses(
    own: tuple[Secret, ...] | None, file: Path | None, key: str, name: str
) -> tuple[Secret, ...]:
    """Return addresses: a database's own, in the file or another one, else the environment's."""
    if own is not None or file is not None:
        return (*(own or ()), *(_words_in(f"{NAME}: {key}", file) if file else ()))
    named = variable(f"{name}_FILE")
    words = tuple(Secret(word) for word in (variable(name) or "").split())
    return (*words, *(_words_in(f"{name}_FILE", Path(named)) if named else ()))


def _words_in(whose: str, file: Path) -> tuple[Secret, ...]:
    try:
        text = read_small(file).decode(errors="surrogateescape")
    except OSError as error:
        raise UsageError(f"{whose}: {file}: {reason_of(error)}; check the spelling") from error
    return tuple(Secret(word) for word in text.split())


def _one(secret: Secret | None) -> tuple[Secret, ...] | None:
    return None if secret is None else (secret,)


def _first(secrets: Sequence[Secret]) -> Secret | None:
    return secrets[0] if secrets else None
