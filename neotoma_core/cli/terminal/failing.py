"""A failure, said in the one place where commands end: as a line, and as a document if asked for.

With ``--json`` standard output is one document. Where the command has not printed its report yet,
that is ``{"error": {"code", "kind", "message", "next"}}``.
"""

from neotoma_core.cli.terminal.manner import wants_json
from neotoma_core.cli.terminal.standard_error import say
from neotoma_core.cli.terminal.streams import has_output
from neotoma_core.documents.document import document
from neotoma_core.errors import MiddenError


def fail(code: int, kind: str, message: str, following: str = "") -> int:
    """Say what failed, and return the exit code. ``following``: what to do next."""
    say(f"midden: {message}")
    document_failure(code, kind, message, following)
    return code


def fail_with(error: MiddenError) -> int:
    """Say what an error of ours says: its message ends with what to do next."""
    message = str(error)
    advice = str(getattr(error, "advice", "") or message.rpartition("; ")[2])
    return fail(error.exit_code, type(error).__name__, message, advice)


def document_failure(code: int, kind: str, message: str, following: str = "") -> None:
    """Print the document of a failure where one was asked for and nothing is printed yet."""
    if wants_json() and not has_output():
        said = {"code": code, "kind": kind, "message": message, "next": following}
        print(document({"error": said}).decode())
