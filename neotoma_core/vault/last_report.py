"""The last report of each kind of routine run, and its page: ``reports/last-<kind>/`` of a vault.

What runs every day or hour keeps its last report only, or a vault would fill with them.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal, Protocol

from neotoma_core.pages.keeping import PAGE, keep_page
from neotoma_core.vault.folder import REPORTS

Kind = Literal["backup", "verify", "archive", "export", "push"]
_REPORT: Final = "report.json"


class Reported(Protocol):
    """A report that can be written as JSON."""

    def to_json(self) -> str:
        """Return the report as a JSON document."""


def keep_last(vault: Path, kind: Kind, report: Reported, make: Callable[[], bytes]) -> str | None:
    """Keep a report and its page as the last of its kind; return where the page is, if anywhere.

    Whatever goes wrong here changes nothing of the run, which is over.
    """
    folder = vault / REPORTS / f"last-{kind}"
    if not vault.is_dir():
        return None
    keep_page(folder / _REPORT, f"{report.to_json()}\n".encode)
    return keep_page(folder / PAGE, make)
