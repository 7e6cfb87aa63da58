"""Plans that wait for a yes: ``agents/plans/`` of a vault, each its owner's alone.

A plan is named by a token that only its file's hash is kept of. It is bound to the hashes of every
input and of the target, can be used once, and expires. ``<hash>.json``: it can be used;
``<hash>.approved``: a person said yes to it at a terminal; ``<hash>.used``: it was used, or begun.

Invariant: using a plan is one rename, so of two that try only one can go on, and what is written
about a plan later never makes it usable again.
"""

import hashlib
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal

from neotoma_core.agents.refusals import Refused
from neotoma_core.documents.document import document, document_of
from neotoma_core.documents.models import (
    FileName,
    HexDigits,
    NotAsModelled,
    PathText,
    Word,
    read_model,
)
from neotoma_core.files.atomic import write_file
from neotoma_core.files.private import make_folders
from neotoma_core.files.small import read_small
from neotoma_core.vault.folder import AGENTS

LASTING: Final = timedelta(minutes=30)
MOST_WAITING: Final = 8  # plans of a vault
_PLANS: Final = "plans"
_TOKEN_BYTES: Final = 10
_KEPT_DAYS: Final = 30
_USABLE, _USED, _APPROVED = ".json", ".used", ".approved"
_AGAIN: Final = "call plan_recovery again"

Kind = Literal["recover", "as-of", "undo"]


@dataclass(frozen=True, slots=True)
class Plan:
    """A recovery, or the undo of one, that was planned and not done.

    ``run``: the one that planned it; of an undo, the one that is undone; of what was held at a
    time, that time. ``search``: whether ``places`` are searched, or are the backups
    themselves. ``remote``: the remote whose logs are the backups. ``inputs``: hashes of what is
    read;
    ``held``: of the target's files, none where there is no target. ``effect``: the check of what it
    does, by counts. ``adds_only``: no row of the target changes or goes. ``production``: why the
    target is taken for a production database. ``loss``: nearly all rows may go, so that its name
    has to be typed. ``text``: the plan for a person to read.
    """

    format: Literal["1"]
    kind: Kind
    run: FileName
    target: PathText
    made_at: datetime
    expires_at: datetime
    search: bool
    places: tuple[PathText, ...]
    mode: Word
    inputs: tuple[HexDigits, ...]
    held: tuple[HexDigits, ...]
    effect: HexDigits
    writes: int
    adds_only: bool
    loss: bool
    text: tuple[str, ...]
    production: str | None = None
    remote: FileName | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A plan on disk: the folder and the name of its file."""

    plan: Plan
    vault: Path
    name: str

    @property
    def approved(self) -> bool:
        """Whether a person said yes to it at a terminal."""
        return _file(self.vault, self.name, _APPROVED).is_file()


def keep_plan(vault: Path, plan: Plan) -> str:
    """Keep a plan and return its token."""
    folder = _folder(vault)
    make_folders(folder)
    _forget_old(folder, plan.made_at)
    token = f"plan-{secrets.token_hex(_TOKEN_BYTES)}"
    write_file(_file(vault, _name(token), _USABLE), document(plan))
    return token


def require_few_waiting(vault: Path, now: datetime) -> None:
    """Raise Refused where so many plans wait already that another one would only fill the disk."""
    waiting = [one for one in _plans(vault, _USABLE) if one.expires_at > now]
    if len(waiting) >= MOST_WAITING:
        raise Refused(
            "TOO_MANY_PLANS",
            f"{len(waiting)} plans wait for a decision; nothing was planned",
            "use a plan that was made, or wait until they expire",
            retryable=True,
        )


def find_plan(vaults: Sequence[Path], token: str, now: datetime) -> Found:
    """Return the plan of a token; raises Refused for one that is unknown, used or expired."""
    name = _name(token)
    for vault in vaults:
        plan = _read(_file(vault, name, _USABLE))
        # In this order: a plan that is used up meanwhile is found under its other name.
        if _file(vault, name, _USED).exists():
            raise Refused("PLAN_USED", "this plan was used already; nothing was changed", _AGAIN)
        if plan is None:
            continue
        if plan.expires_at <= now:
            raise Refused("PLAN_EXPIRED", "this plan expired; nothing was changed", _AGAIN)
        return Found(plan, vault, name)
    raise Refused("PLAN_UNKNOWN", "there is no such plan; nothing was changed", _AGAIN)


def vault_of_plan(vaults: Sequence[Path], token: str) -> Path | None:
    """Return the vault that has a plan, used or not; None for an invented one."""
    name = _name(token)
    kept = (_USABLE, _USED)
    return next((v for v in vaults if any(_file(v, name, end).exists() for end in kept)), None)


def use_plan(found: Found) -> None:
    """Use a plan up; raises Refused where another one was faster."""
    usable = _file(found.vault, found.name, _USABLE)
    try:
        usable.rename(_file(found.vault, found.name, _USED))
    except FileNotFoundError:
        raise Refused(
            "PLAN_USED", "this plan was used already; nothing was changed", _AGAIN
        ) from None


def approve_plan(found: Found) -> None:
    """Record that a person said yes to a plan at a terminal."""
    write_file(_file(found.vault, found.name, _APPROVED), b"")


def name_token(token: str) -> str:
    """Return what the audit log calls a plan: nothing that it could be used with."""
    return _name(token)[:12]


def effect_of(facts: Sequence[object]) -> str:
    """Return the check of what a plan does, by its counts."""
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _name(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _folder(vault: Path) -> Path:
    return vault / AGENTS / _PLANS


def _file(vault: Path, name: str, ending: str) -> Path:
    return _folder(vault) / f"{name}{ending}"


def _read(file: Path) -> Plan | None:
    try:
        return read_model(Plan, document_of(read_small(file)))
    except FileNotFoundError:
        return None
    except (NotAsModelled, ValueError):
        raise Refused("PLAN_UNKNOWN", "the file of this plan is damaged", _AGAIN) from None


def _plans(vault: Path, ending: str) -> Iterator[Plan]:
    for file in sorted(_folder(vault).glob(f"*{ending}")):
        try:
            plan = _read(file)
        except Refused:
            continue
        if plan is not None:
            yield plan


def _forget_old(folder: Path, now: datetime) -> None:
    """Remove the files of plans that were used or expired long ago."""
    oldest = (now - timedelta(days=_KEPT_DAYS)).timestamp()
    for file in folder.iterdir():
        if file.suffix in (_USABLE, _USED, _APPROVED) and file.lstat().st_mtime < oldest:
            file.unlink(missing_ok=True)
