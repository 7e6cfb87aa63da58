"""Keeping the page of all databases current: in a file, on loopback, or both."""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from neotoma_core.find.board.board import find_protected, look_at_all, write_board
from neotoma_core.find.board.page import board_page
from neotoma_core.find.board.serving import ServedPage
from neotoma_core.report.progress import Silent
from neotoma_core.runs.begin import Whereabouts
from neotoma_core.settings.environment import configuration

_log = logging.getLogger(__name__)


def configured_pages(targets: Sequence[Path]) -> tuple[Path, ...]:
    """Return the files in which midden.toml says the page is kept, by the ``page`` of databases.

    Raises UsageError where the configuration is invalid.
    """
    known = configuration()
    found = [one.settings.page for target in targets if (one := known.at(target))]
    return tuple(dict.fromkeys(page for page in found if page))


class KeptBoard:
    """The page of some databases: ``files``, where it is written, if anywhere.

    ``vault``: of the only database there is, where it was named.
    """

    def __init__(
        self,
        targets: list[Path],
        vault: Path | None,
        files: Sequence[Path],
        now: Callable[[], datetime],
    ) -> None:
        self.served = ServedPage()
        self._targets, self._vault, self._files, self._now = targets, vault, files, now

    def refresh(self) -> None:
        """Look at every database again; what fails leaves the page before it as it is."""
        try:
            now = self._now().astimezone(UTC)
            report = look_at_all(self._databases(), now, Silent())
            self.served.content = board_page(report, now)
            for file in self._files:
                write_board(report, file, now)
        except Exception as error:  # noqa: BLE001 - a page never stops a schedule; it may hold values
            _log.warning("the page was not kept current", extra={"error": type(error).__name__})

    def _databases(self) -> tuple[Whereabouts, ...]:
        if self._vault is not None:
            return tuple(Whereabouts(target, self._vault) for target in self._targets)
        return find_protected(self._targets)
