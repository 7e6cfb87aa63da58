"""Who hears of ``midden push --watch``: the terminal, the notifiers, the heartbeat, the metrics."""

import sys
from collections.abc import Callable
from datetime import datetime
from typing import Final

from neotoma_core.errors import MiddenError
from neotoma_core.push.report import PushReport
from neotoma_core.push.request import PushRequest
from neotoma_core.schedule.alerting import announce_outcome
from neotoma_core.vault.announcing import Alerting, notify

_LASTING: Final = 5  # failures in a row: about half a minute


class Listening:
    """See the module. ``shown``: a report as it is printed. What lasts is notified of once."""

    def __init__(
        self, request: PushRequest, alerting: Alerting, shown: Callable[[PushReport], str]
    ) -> None:
        self._request = request
        self._alerting = alerting
        self._shown = shown
        self._alarms: tuple[str, ...] = ()

    def on_push(self, report: PushReport) -> None:
        """Print a report; notify of alarms that are new."""
        print(self._shown(report), flush=True)
        if report.alarms and report.alarms != self._alarms:
            self._notify("not all is pushed", "; ".join(report.alarms))
        self._alarms = report.alarms

    def on_failure(self, error: MiddenError, failures: int, wait: float) -> None:
        """Say what failed and when it is tried again; notify where that lasts."""
        _say(f"{error}; trying again in {wait:.0f} s")
        if failures == _LASTING:
            self._notify("nothing is pushed for now", str(error))

    def on_look(self, now: datetime, *, good: bool) -> None:
        """Send the heartbeat and write the metrics."""
        request = self._request
        untold = announce_outcome(self._alerting, request.vault, request.target, now, success=good)
        for one in untold:
            _say(one)

    def _notify(self, what: str, reason: str) -> None:
        if not notify(self._alerting, f"midden: {self._request.target.name}: {what}", reason):
            _say("not every notification could be sent")


def _say(words: str) -> None:
    print(f"midden: {words}", file=sys.stderr, flush=True)
