"""The ``midden`` command and its one place where errors become messages and exit codes."""

import signal
import sys
import traceback
from types import FrameType

import typer

from neotoma_core.cli.demo import demo
from neotoma_core.cli.recover import recover
from neotoma_core.cli.restore import restore
from neotoma_core.errors import MiddenError

app = typer.Typer(
    name="midden",
    help="The safety net for Neotoma memory databases: recover, prove, undo.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(recover)
app.command()(restore)
app.command()(demo)

_INTERRUPTED = 130
_TERMINATED = 143


class _Terminated(BaseException):
    """SIGTERM, as something that unwinds the stack."""


def main() -> None:
    """Run the command line and exit with its code."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        code = app(standalone_mode=False)
    except MiddenError as error:
        _say(f"midden: {error}")
        code = error.exit_code
    except KeyboardInterrupt:
        _say("midden: interrupted; the target is as it was, unless the lines above say otherwise")
        code = _INTERRUPTED
    except _Terminated:
        _say("midden: told to stop; the target is as it was, unless the lines above say otherwise")
        code = _TERMINATED
    except Exception as error:  # noqa: BLE001 - the last frame of the program: report and end
        code = _unexpected(error)
    sys.exit(code or 0)


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    raise _Terminated


def _unexpected(error: Exception) -> int:
    """Name an error we did not foresee by where it happened; its message may hold stored values."""
    if hasattr(error, "exit_code") and hasattr(error, "show"):  # the parser's own errors
        error.show()
        return int(error.exit_code)
    for frame in traceback.extract_tb(error.__traceback__):
        _say(f"  {frame.filename}:{frame.lineno} in {frame.name}")
    _say(
        f"midden: internal error {type(error).__name__}; the target is as it was, since nothing is "
        "committed before it is proven; please report the lines above"
    )
    return 1


def _say(line: str) -> None:
    print(line, file=sys.stderr)
