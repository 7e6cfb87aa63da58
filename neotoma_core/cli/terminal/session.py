"""A command that shows a plan, asks and then writes: written once for all of them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from neotoma_core.cli.terminal.asking import LEFT_ALONE, ask, end_declined, require_answerable
from neotoma_core.cli.terminal.guarding import terminal_guard
from neotoma_core.cli.terminal.manner import show_plan
from neotoma_core.cli.terminal.progress import TerminalProgress
from neotoma_core.files.interrupts import release

if TYPE_CHECKING:
    from neotoma_core.guard.guard import Guard

_NOT_DONE: Final = ("planned", "declined")


class Ended(Protocol):
    """A report of a command that asks; ``outcome`` says whether anything was written."""

    @property
    def outcome(self) -> str:
        """What was done; "planned" or "declined" where nothing was."""

    def to_json(self) -> str:
        """Return the report as a JSON document."""


_Report = TypeVar("_Report", bound=Ended)


@dataclass(slots=True)
class Session:
    """One such command at the terminal.

    ``yes``: it is agreed to already. ``json``: standard output is the report's alone. ``dry_run``:
    it is not asked, and nothing is written. ``refused``: the user was asked and said no.
    """

    progress: TerminalProgress
    yes: bool
    json: bool
    dry_run: bool = False
    refused: bool = field(default=False, init=False)

    def confirmation(
        self, plan_text: Callable[[_Report], str], question: Callable[[_Report], str]
    ) -> Callable[[_Report], bool]:
        """Return what an operation calls with its plan: it shows the plan and asks."""

        def confirm(plan: _Report) -> bool:
            self.progress.pause()
            require_answerable(yes=self.yes or self.dry_run)
            if not self.json:
                show_plan(plan_text(plan), yes=self.yes or self.dry_run)
            if self.dry_run:
                return False
            self.refused = not ask(question(plan), yes=self.yes)
            return not self.refused

        return confirm

    def guard(self, doing: str, environment: str | None = None) -> "Guard":
        """Return the guard that asks once more where nearly everything goes."""
        return terminal_guard(self.progress, doing, yes=self.yes, environment=environment)

    def end(
        self,
        report: _Report,
        text: Callable[[_Report], str],
        *,
        rehearsed: Callable[[_Report], str] = lambda _: LEFT_ALONE,
        declined: str = "nothing was changed",
        was_declined: bool | None = None,
    ) -> None:
        """Print how the command has ended, and exit with DECLINED where the user declined.

        ``text`` says what was done; ``rehearsed``, what a dry run found; ``declined``, what was
        not done. ``was_declined``: None where the outcome of the report says it.
        """
        self.progress.pause()
        if was_declined is None:
            was_declined = report.outcome in _NOT_DONE
        if self.json:
            print(report.to_json())
        elif self.dry_run:
            print(rehearsed(report))
        elif not was_declined:
            print(text(report))
        if was_declined and not self.dry_run:
            end_declined(declined, json=self.json)


@contextmanager
def asking_session(*, yes: bool, json: bool, dry_run: bool = False) -> Iterator[Session]:
    """Begin a session. Its end belongs inside, where interrupts are still held.

    So the report is printed before an interrupt that came after the commit.
    """
    with release(), TerminalProgress() as progress:
        yield Session(progress, yes, json, dry_run)
