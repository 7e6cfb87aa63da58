"""The ``midden`` command and its one place where errors become messages and exit codes."""

import gc
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import typer

from neotoma_core.cli.agents.approve import approve
from neotoma_core.cli.agents.audit import audit
from neotoma_core.cli.agents.mcp import mcp
from neotoma_core.cli.analysis.archive import archive
from neotoma_core.cli.analysis.compact import compact
from neotoma_core.cli.analysis.diff import diff
from neotoma_core.cli.analysis.export import export
from neotoma_core.cli.analysis.history import history
from neotoma_core.cli.analysis.merges import merges
from neotoma_core.cli.analysis.show import show
from neotoma_core.cli.completion import VARIABLE, completion, prepare_completion
from neotoma_core.cli.fleet.fleet import fleet
from neotoma_core.cli.protection.backup import backup
from neotoma_core.cli.protection.backups import backups
from neotoma_core.cli.protection.config import config
from neotoma_core.cli.protection.doctor import doctor
from neotoma_core.cli.protection.forget import forget
from neotoma_core.cli.protection.guard import guard
from neotoma_core.cli.protection.init import init
from neotoma_core.cli.protection.prune import prune
from neotoma_core.cli.protection.reset import reset
from neotoma_core.cli.protection.schedule import schedule
from neotoma_core.cli.protection.serve import serve
from neotoma_core.cli.protection.verify import verify
from neotoma_core.cli.recovery.demo import demo
from neotoma_core.cli.recovery.erase import erase
from neotoma_core.cli.recovery.find import find
from neotoma_core.cli.recovery.rebuild import rebuild
from neotoma_core.cli.recovery.recover import recover
from neotoma_core.cli.recovery.restore import restore
from neotoma_core.cli.recovery.status import status
from neotoma_core.cli.recovery.unmerge import unmerge
from neotoma_core.cli.remote.pull import pull
from neotoma_core.cli.remote.push import push
from neotoma_core.cli.remote.upkeep import remote
from neotoma_core.cli.terminal.failing import document_failure, fail, fail_with
from neotoma_core.cli.terminal.standard_error import keep_for_midden, name_error, say
from neotoma_core.cli.terminal.streams import ReaderGone, abandon_output, open_streams
from neotoma_core.cli.terminal.strict import StrictCommand, TolerantCommand
from neotoma_core.cli.version import accept_version
from neotoma_core.errors import (
    MiddenError,
    OutputFailed,
    begin_record,
    run_record,
    what_is_done,
)
from neotoma_core.files.failures import explain
from neotoma_core.files.private import keep_private
from neotoma_core.files.repeating import repeat_interrupted_names

app = typer.Typer(
    name="midden",
    help="A safety net for Neotoma memory databases: recover, prove, undo.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
_COMMANDS = (
    init,
    recover,
    rebuild,
    restore,
    erase,
    find,
    status,
    backup,
    backups,
    verify,
    prune,
    forget,
    reset,
    serve,
    push,
    pull,
    archive,
    export,
    show,
    diff,
    history,
    merges,
    unmerge,
    compact,
    approve,
    audit,
    demo,
    completion,
)
app.callback()(accept_version)
for _command in _COMMANDS:
    app.command(cls=StrictCommand)(_command)
app.command(cls=TolerantCommand)(doctor)
app.add_typer(mcp, name="mcp")
app.add_typer(guard, name="guard")
app.add_typer(config, name="config")
app.add_typer(remote, name="remote")
app.add_typer(schedule, name="schedule")
app.add_typer(fleet, name="fleet")

_AS_IT_WAS = "the target is as it was"
_STOPPING = {
    signal.SIGINT: "interrupted",
    signal.SIGTERM: "terminated",
    signal.SIGHUP: "its terminal was closed",
}


class _Stopped(BaseException):
    """A signal, as something that unwinds the stack; the parser would swallow KeyboardInterrupt."""

    def __init__(self, number: int) -> None:
        self.number = signal.Signals(number)
        super().__init__(self.number.name)


def main() -> None:
    """Run the command line and exit with its code."""
    open_streams()
    keep_for_midden()
    keep_private()
    repeat_interrupted_names()
    prepare_completion()
    for number in _STOPPING:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as a shell starts background jobs
            signal.signal(number, _stop)
    begin_record()
    code = _end(_run)
    code = _end(sys.stdout.flush) or code
    gc.freeze()  # the memory goes with the process: nothing is looked through first
    sys.exit(code)


def _run() -> int:
    try:
        return app(standalone_mode=False, complete_var=VARIABLE) or 0
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(bool(ended.code))


def _end(action: Callable[[], int | None]) -> int:
    """Do the last thing but one, and return the exit code; whatever fails in it is reported."""
    try:
        return action() or 0
    except OutputFailed as error:
        abandon_output()
        say(f"midden: {error}")
        return error.exit_code
    except MiddenError as error:
        code = fail_with(error)
        if run_record().committed and what_is_done() not in str(error):
            say(f"midden: {what_is_done()}")
        return code
    except ReaderGone:
        abandon_output()
        if run_record().committed:
            say(f"midden: nobody reads the output; {what_is_done()}")
        return 128 + signal.SIGPIPE
    except _Stopped as stopped:
        message = f"{_STOPPING[stopped.number]}; {what_is_done(_AS_IT_WAS)}"
        return fail(128 + stopped.number, "Stopped", message)
    except BaseException as error:  # noqa: BLE001 - the last frame of the program: report and end
        return _report_unexpected(error)


def _stop(number: int, _frame: FrameType | None) -> None:
    raise _Stopped(number)


def _report_unexpected(error: BaseException) -> int:
    """Name an error we did not foresee by where it happened; its message may hold stored values.

    A native library that panics raises one that is no ``Exception``.
    """
    if hasattr(error, "exit_code") and hasattr(error, "show"):  # the parser's own errors
        error.show()
        code = int(error.exit_code)
        message = error.format_message() if hasattr(error, "format_message") else str(error)
        document_failure(code, "UsageError", message, "see midden COMMAND --help")
        return code
    if isinstance(error, typer.Abort) and error.__cause__ is not None:
        error = error.__cause__  # what the parser has made of it says nothing
    record = run_record()
    known = explain(error, record.vault or record.target or Path.cwd())
    if known is not None:
        return fail_with(known)
    kind = name_error(error, error.__traceback__)
    done = what_is_done(_AS_IT_WAS)
    message = f"internal error {kind}; {done}; please report the lines above"
    return fail(1, kind, message, "please report what is on standard error")
