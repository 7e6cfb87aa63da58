"""Telling others how the backups are: notifications, a heartbeat, a file for Prometheus.

What goes out are names, counts and times; addresses may hold passwords and are never shown. A
message that cannot be sent stops nothing: the caller learns how many there were.
"""

import http.client
import logging
import math
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from neotoma_core.files.atomic import write_file
from neotoma_core.neotoma.encryption import Secret

_PATIENCE_SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class Alerting:
    """Who is notified.

    ``notify``: addresses as Apprise has them; ``heartbeat``: an address that is asked for after
    each success, and with ``/fail`` after each failure; ``metrics``: a file.
    """

    notify: tuple[Secret, ...] = ()
    heartbeat: Secret | None = None
    metrics: Path | None = None


def notify(alerting: Alerting, title: str, body: str) -> bool:
    """Send a message to everybody; return whether all of it was sent.

    Apprise comes with Prefect; where it is not installed nothing can be sent.
    """
    if not alerting.notify:
        return True
    try:
        import apprise  # noqa: PLC0415 - optional, and slow to import
    except ImportError:
        return False
    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # it would log the addresses
    sender = apprise.Apprise()
    added = [sender.add(address.reveal()) for address in alerting.notify]
    body, title = (text.encode(errors="replace").decode() for text in (body, title))
    return bool(sender.notify(body=body, title=title)) and all(added)


def beat(alerting: Alerting, *, success: bool, lag: float | None = None) -> bool:
    """Ask for the heartbeat address; return whether it answered.

    ``lag``: seconds that the remotes are behind, the most of them; infinite where one never had
    all; None where there is no remote.
    """
    if alerting.heartbeat is None:
        return True
    address = alerting.heartbeat.reveal().rstrip("/") + ("" if success else "/fail")
    if lag is not None:
        address += f"{'&' if '?' in address else '?'}remote_lag_seconds={lag:.0f}"
    if not address.startswith(("http://", "https://")):
        return False
    try:
        with urllib.request.urlopen(address, timeout=_PATIENCE_SECONDS):  # noqa: S310 - as above
            return True
    except (OSError, urllib.error.URLError, http.client.HTTPException, ValueError):
        return False


def write_metrics(path: Path, metrics: Mapping[str, tuple[str, Mapping[str, float]]]) -> None:
    """Write gauges as Prometheus reads them from a text file.

    ``metrics``: by name, what it says and its value by label (``{...}`` or nothing).
    """
    lines = []
    for name, (says, values) in metrics.items():
        lines += [f"# HELP {name} {says}", f"# TYPE {name} gauge"]
        lines += [f"{name}{label} {_number(value)}" for label, value in values.items()]
    if not path.parent.exists():  # the collector of them is another user
        path.parent.mkdir(parents=True)
        path.parent.chmod(0o755)
    write_file(path, ("\n".join(lines) + "\n").encode(errors="replace"), mode=0o644)


def _number(value: float) -> str:
    return "+Inf" if value == math.inf else f"{value:.15g}"
