"""The answer to an agent when something cannot be done: a code, plain words, and the next step.

The words are fixed: messages of errors name files and tables, and those come from outside. A person
reads the whole message with ``midden audit``.
"""

import re
from typing import Final

from neotoma_core.errors import MiddenError

_SEE_AUDIT: Final = "ask the person to run `midden audit`, which has the whole message"
_PLAN_AGAIN: Final = "call plan_recovery again"
_WAIT: Final = "wait a moment, then call the tool again"
_SAID: Final = {
    "UsageError": ("this cannot be done as it was asked for", _SEE_AUDIT),
    "ConflictsFound": ("rows have the same key and different values", _SEE_AUDIT),
    "VerificationFailed": ("the result was not what was planned; it was rolled back", _SEE_AUDIT),
    "BackupNotIntact": ("the backup is not proven; nothing was changed", "call list_backups"),
    "BackupError": ("a copy cannot be read", "call find_copies and choose another"),
    "NotNeotoma": ("the file is not a Neotoma database", "call find_copies and choose another"),
    "TargetLocked": ("another program is using the database; nothing was changed", _WAIT),
    "TargetChanged": ("the database was written to meanwhile; nothing was changed", _PLAN_AGAIN),
    "TargetRuined": ("the database is damaged or empty", "call find_copies, then plan_recovery"),
    "TargetForeign": ("the file may belong to another program; it stays as it is", _SEE_AUDIT),
    "TargetError": ("the database cannot be used as it is", "call get_status"),
    "KeyMissing": ("values are encrypted and the server has no key", _SEE_AUDIT),
    "KeyWrong": ("values are encrypted and the key does not open them", _SEE_AUDIT),
    "EnvironmentMismatch": ("development rows would meet production", "choose other copies"),
    "DatabaseMismatch": ("the copies belong to another database", "choose other copies"),
    "DiskFull": ("there is too little free disk space; nothing was changed", _SEE_AUDIT),
    "VaultLocked": ("another run of midden is using the vault", _WAIT),
    "VaultError": ("the vault cannot be used", _SEE_AUDIT),
    "ArchiveError": (
        "there is no archive to read the history from, or it cannot be used",
        "ask the person to run `midden archive`",
    ),
    "IdentityMissing": (
        "the remote is encrypted and the server has no identity",
        _SEE_AUDIT,
    ),
    "IdentityWrong": ("the server's identity does not open the remote", _SEE_AUDIT),
    "RemoteDamaged": ("what is on the remote is not what was pushed", _SEE_AUDIT),
    "RemoteDenied": ("the remote refuses access", _SEE_AUDIT),
    "RemoteUnreachable": ("the remote does not answer", _WAIT),
    "RemoteError": ("the remote cannot be used", _SEE_AUDIT),
    "MiddenError": ("the operation failed", _SEE_AUDIT),
}


class Refused(Exception):
    """What a tool does not do. ``words`` and ``next_step`` are our own, and shown as they are."""

    def __init__(
        self, code: str, words: str, next_step: str | None = None, *, retryable: bool = False
    ) -> None:
        self.code = code
        self.words = words
        self.next_step = next_step
        self.retryable = retryable
        self.exit_code = 2
        super().__init__(words)


def refusal_of(error: BaseException) -> Refused:
    """Return what to tell an agent of an error; of one that nobody expected, only that it was."""
    if isinstance(error, Refused):
        return error
    if not isinstance(error, MiddenError):
        return Refused("INTERNAL", "an unexpected error; nothing of it is shown", _SEE_AUDIT)
    for kind in type(error).__mro__:
        if kind.__name__ in _SAID:
            words, then = _SAID[kind.__name__]
            break
    else:
        words, then = _SAID["MiddenError"]
    refused = Refused(code_of(error), words, then, retryable=error.retryable)
    refused.exit_code = error.exit_code
    return refused


def code_of(error: MiddenError) -> str:
    """Return the code of an error: its name in the table of exit codes, in capitals."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(error).__name__).upper()
