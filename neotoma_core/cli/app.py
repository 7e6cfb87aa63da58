"""The ``midden`` command and its one place where errors become messages and exit codes."""

import signal
import sys
from types import FrameType

import typer

from neotoma_core.cli.archive import archive
from neotoma_core.cli.backup import backup
from neotoma_core.cli.backups import backups
from neotoma_core.cli.compact import compact
from neotoma_core.cli.demo import demo
from neotoma_core.cli.erase import erase
from neotoma_core.cli.export import export
from neotoma_core.cli.find import find
from neotoma_core.cli.guard import guard
from neotoma_core.cli.history import history
from neotoma_core.cli.prune import prune
from neotoma_core.cli.rebuild import rebuild
from neotoma_core.cli.recover import recover
from neotoma_core.cli.reset import reset
from neotoma_core.cli.restore import restore
from neotoma_core.cli.serve import serve
from neotoma_core.cli.standard_error import keep_for_midden, name_error, say
from neotoma_core.cli.status import status
from neotoma_core.cli.unmerge import unmerge
from neotoma_core.cli.verify import verify
from neotoma_core.errors import MiddenError
from neotoma_core.store.private_files import keep_private

app = typer.Typer(
    name="midden",
    help="The safety net for Neotoma memory databases: recover, prove, undo.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(recover)
app.command()(rebuild)
app.command()(restore)
app.command()(erase)
app.command()(find)
app.command()(status)
app.command()(backup)
app.command()(backups)
app.command()(verify)
app.command()(prune)
app.command()(reset)
app.add_typer(guard, name="guard")
app.command()(serve)
app.command()(archive)
app.command()(export)
app.command()(history)
app.command()(unmerge)
app.command()(compact)
app.command()(demo)

_STOPPING = {signal.SIGINT: "interrupted", signal.SIGTERM: "told to stop"}


class _Stopped(BaseException):
    """A signal, as something that unwinds the stack; the parser would swallow KeyboardInterrupt."""

    def __init__(self, number: int) -> None:
        self.number = signal.Signals(number)
        super().__init__(self.number.name)


def main() -> None:
    """Run the command line and exit with its code."""
    keep_for_midden()
    keep_private()
    for number in _STOPPING:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as a shell starts background jobs
            signal.signal(number, _stop)
    try:
        code = app(standalone_mode=False)
    except MiddenError as error:
        say(f"midden: {error}")
        code = error.exit_code
    except _Stopped as stopped:
        how = _STOPPING[stopped.number]
        say(f"midden: {how}; the target is as it was, unless the lines above say otherwise")
        code = 128 + stopped.number
    except SystemExit:
        raise
    except BaseException as error:  # noqa: BLE001 - the last frame of the program: report and end
        code = _unexpected(error)
    sys.exit(code or 0)


def _stop(number: int, _frame: FrameType | None) -> None:
    raise _Stopped(number)


def _unexpected(error: BaseException) -> int:
    """Name an error we did not foresee by where it happened; its message may hold stored values.

    A native library that panics raises one that is no ``Exception``.
    """
    if hasattr(error, "exit_code") and hasattr(error, "show"):  # the parser's own errors
        error.show()
        return int(error.exit_code)
    if isinstance(error, typer.Abort) and error.__cause__ is not None:
        error = error.__cause__  # what the parser has made of it says nothing
    kind = name_error(error, error.__traceback__)
    say(
        f"midden: internal error {kind}; the target is as it was, since nothing is committed "
        "before it is proven; please report the lines above"
    )
    return 1
