"""Erasing what vaults know to be erased from a copy that is about to become a target."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from neotoma_core.erased.hashed import ErasedIds
from neotoma_core.erased.naming import RAW_FILES, read_all
from neotoma_core.erasure.applying import apply_erasure
from neotoma_core.erasure.held.copy import read_held
from neotoma_core.erasure.plan import plan_erasure
from neotoma_core.erasure.rows import scrub
from neotoma_core.files.interrupts import on_scratch
from neotoma_core.files.keys import KeySource
from neotoma_core.neotoma.times import iso
from neotoma_core.runs.run import Run
from neotoma_core.sqlite.copies import read_file_state


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A whole copy that has nothing erased in it.

    ``rows``: how many were left out. ``files``: the raw files that only those named.
    """

    whole: Path
    rows: int = 0
    files: frozenset[str] = frozenset()


def without_erased(whole: Path, erased: ErasedIds, run: Run, key: KeySource | None) -> Cleaned:
    """Leave what was erased out of a whole copy.

    The copy itself is returned where there is nothing to leave out, byte for byte. Raises
    KeyMissing.
    """
    if not erased:
        return Cleaned(whole)
    held = read_held(whole, run.path, key)
    there = erased.find_in(read_all(held.tables))
    if not there:
        return Cleaned(whole)
    plan = plan_erasure(held, there, iso(run.started))
    if not plan.writes:
        return Cleaned(whole)
    work = run.folders.work / "erased"
    work.mkdir(mode=0o700)
    copy = work / "whole.db"
    shutil.copyfile(whole, copy)
    with on_scratch():
        apply_erasure(plan, copy, {"": read_file_state(copy)}, work)
        scrub(copy)
    return Cleaned(copy, plan.reach.total, plan.ids.get(RAW_FILES, frozenset()))
