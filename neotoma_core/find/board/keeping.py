"""Keeping the page of all databases current: in a file, on loopback, or both."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from neotoma_core.find.board.board import find_protected, look_at_all, write_board
from neotoma_core.find.board.page import board_page
from neotoma_core.find.board.serving import ServedPage
from neotoma_core.report.progress import Silent
from neotoma_core.runs.begin import Whereabouts

_log = logging.getLogger(__name__)


class KeptBoard:
    """The page of some databases: ``file``, where it is written, if anywhere.

    ``vault``: of the only database there is, where it was named.
    """

    def __init__(
        self,
        targets: list[Path],
        vault: Path | None,
        file: Path | None,
        now: Callable[[], datetime],
    ) -> None:
        self.served = ServedPage()
        self._targets, self._vault, self._file, self._now = targets, vault, file, now

    def refresh(self) -> None:
        """Look at every database again; what fails leaves the page before it as it is."""
        try:
            now = self._now().astimezone(UTC)
            report = look_at_all(self._databases(), now, Silent())
            self.served.content = board_page(report, now)
            if self._file is not None:
                write_board(report, self._file, now)
        except Exception as error:  # noqa: BLE001 - a page never stops a schedule; it may hold values
            _log.warning("the page was not kept current", extra={"error": type(error).__name__})

    def _databases(self) -> tuple[Whereabouts, ...]:
        if self._vault is not None:
            return tuple(Whereabouts(target, self._vault) for target in self._targets)
        return find_protected(self._targets)
