"""Turning a planned erasure into its report, and keeping that in the vault: numbers, no ids."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from neotoma_core.erased.hashed import hash_ids
from neotoma_core.erasure.page.page import erasure_page
from neotoma_core.erasure.plan import ErasurePlan
from neotoma_core.erasure.raw_files import ErasedRawFiles
from neotoma_core.erasure.report import (
    AskedFor,
    ErasureReport,
    HoldingEvidence,
    RawFilesErased,
    TableErasure,
)
from neotoma_core.erasure.request import EraseRun
from neotoma_core.files.atomic import write_file
from neotoma_core.files.private import make_folders
from neotoma_core.ledger.file import Ledger
from neotoma_core.neotoma.tables import kind_of
from neotoma_core.pages.keeping import PAGE, keep_page
from neotoma_core.report.findings import Finding
from neotoma_core.runs.commands import command
from neotoma_core.runs.run import TargetRun
from neotoma_core.snapshots.report import summarise
from neotoma_core.vault.folder import BACKUPS


def report_planned(  # noqa: PLR0913, PLR0917 - all that was decided
    erasing: EraseRun,
    plan: ErasurePlan,
    raw: ErasedRawFiles,
    ledger: Ledger,
    holding: tuple[HoldingEvidence, ...],
    absent: int,
) -> ErasureReport:
    """Return the report of an erasure that is not carried out yet."""
    run = erasing.run
    return ErasureReport(
        run=run.folders.name,
        outcome="planned",
        target=str(erasing.target),
        asked=_count_asked(erasing, plan, absent),
        rows=plan.reach.total,
        erasures=tuple(
            TableErasure(name, table.rows, len(plan.gone.get(name, ())))
            for name, table in plan.stored.items()
        ),
        derived=tuple(summarise(recomputed) for recomputed in plan.derived),
        erased_raw_files=RawFilesErased(len(raw.names), raw.bytes),
        recorded=count_new_ids(plan, ledger),
        holding=holding,
        writes=plan.writes,
        checks=(),
        findings=tuple(_findings(plan)),
        seconds={},
        report=str(run.folders.report / "report.json"),
        back_up=command("backup", target=run.path, vault=run.folders.vault),
        forget=_forget(run, holding),
    )


def _forget(run: TargetRun, holding: tuple[HoldingEvidence, ...]) -> str:
    """Return the command that rewrites backups; empty where none holds what is erased."""
    place = run.folders.vault.absolute() / BACKUPS
    if not any(Path(one.folder).parent == place for one in holding):
        return ""
    return command("forget", "--erased", target=run.path, vault=run.folders.vault)


def save(erasing: EraseRun, report: ErasureReport) -> ErasureReport:
    """Keep the report and its page in the vault; return the report that names the page."""
    folder = erasing.report_folder
    make_folders(folder)
    kept = replace(report, page=keep_page(folder / PAGE, lambda: erasure_page(report)))
    write_file(folder / "report.json", (kept.to_json() + "\n").encode())
    return kept


def _count_asked(erasing: EraseRun, plan: ErasurePlan, absent: int) -> AskedFor:
    request = erasing.request
    asked = frozenset(request.entities)
    observations, users = len({*request.observations}), len({*request.users})
    return AskedFor(len(asked), observations, users, absent, len(plan.reach.merged - asked))


def count_new_ids(plan: ErasurePlan, ledger: Ledger) -> int:
    """Return how many ids the ledger does not have yet."""
    salt = ledger.erased.salt
    if not salt:
        return sum(map(len, plan.ids.values()))
    return sum(
        digest not in ledger.erased.hashes.get(kind, frozenset())
        for kind, ids in plan.ids.items()
        for _, digest in hash_ids(salt, kind, ids)
    )


def _findings(plan: ErasurePlan) -> Iterator[Finding]:
    """Yield what stays and may still mention what goes."""
    if plan.reach.shared:
        detail = (
            f"{len(plan.reach.shared):,} sources that other rows use too stay, with their raw "
            "files, which may still mention what is erased"
        )
        yield Finding("shared-source", "sources", detail)
    for (table, column), rows in sorted(plan.reach.dangling.items()):
        detail = f"{rows:,} rows of other users stay and refer to rows that go"
        yield Finding("left-dangling", f"{table}.{column}", detail)
    if plan.emptied:
        detail = (
            f"{plan.emptied:,} entities stay without an observation, their names with them; "
            "erase them with --entity"
        )
        yield Finding("emptied", "entities", detail)
    if plan.reach.merged_away:
        detail = (
            f"{plan.reach.merged_away:,} of the entities that go were merged into others, which "
            "stay with what they were given; erase those too if they are the same"
        )
        yield Finding("merged-away", "entities", detail)
    yield from _out_of_reach(plan)


def _out_of_reach(plan: ErasurePlan) -> Iterator[Finding]:
    """Yield the tables whose rows could not be looked through, and vectors."""
    for name, table in plan.stored.items():
        if name in plan.tables.names or not table.rows:
            continue
        if kind_of(name) is None:
            yield Finding("not-looked-into", name, "not a table whose rows can be distinguished")
        elif name.endswith("_rowids") and plan.gone.get("entity_embedding_rows") is not None:
            detail = "vectors of erased entities stay until Neotoma rebuilds its index"
            yield Finding("vectors-left", name, detail)
