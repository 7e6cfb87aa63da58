"""Erasing what vaults know to be erased from a copy that is about to become a target."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from neotoma_core.ops.erasure_applying import apply_erasure
from neotoma_core.ops.erasure_planning import plan_erasure, read_held
from neotoma_core.ops.planning import iso
from neotoma_core.ops.run import Run
from neotoma_core.store.copies import state_of
from neotoma_core.store.erasing import scrub
from neotoma_core.store.interrupts import on_scratch
from neotoma_core.store.keys import KeySource
from neotoma_core.store.ledger import read_erased


def without_erased(
    whole: Path, vaults: Iterable[Path], run: Run, key: KeySource | None
) -> tuple[Path, int]:
    """Return a whole copy that has nothing erased in it, and how many rows were left out.

    ``vaults``: those whose ledgers count; a folder that is no vault has none. The copy itself is
    returned where there is nothing to leave out, byte for byte. Raises VaultDamaged, KeyMissing.
    """
    rows = 0
    ledgers = {vault.resolve(): read_erased(vault) for vault in vaults}
    for number, erased in enumerate(ledgers.values()):
        if not erased:
            continue
        held = read_held(whole, run.request.target, key)
        plan = plan_erasure(held, erased.found_in(held.tables), iso(run.started))
        if not plan.writes:
            continue
        work = run.folders.work / f"erased-{number}"
        work.mkdir(mode=0o700)
        copy = work / "whole.db"
        shutil.copyfile(whole, copy)
        with on_scratch():
            apply_erasure(plan, copy, {"": state_of(copy)}, work)
            scrub(copy)
        whole, rows = copy, rows + plan.reach.total
    return whole, rows
