"""The page of a recovery says what the report says, to its owner alone, and never against it."""

import json
import re
import sqlite3
from contextlib import closing
from html import unescape
from pathlib import Path

import pytest

from neotoma_core.errors import ConflictsFound
from neotoma_core.merge.policy import MergePolicy
from neotoma_core.pages.keeping import PAGE, keep_page
from neotoma_core.recovery.recover import plan_only, recover
from neotoma_core.recovery.report import RecoveryReport
from neotoma_core.recovery.run.named import recovery_run
from neotoma_core.recovery.run.request import RecoverRequest
from neotoma_core.report.progress import Silent
from tests.conftest import NOW, copy_databases, recover_into
from tests.support.databases import entity, make_database, observation

NAME = "Planted <b>\u202eName & Co"


@pytest.fixture(scope="module")
def recovered(
    unpacked: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[RecoveryReport, str, Path]:
    """The incident, recovered with names; its report, its page, and the untouched copies."""
    folder = tmp_path_factory.mktemp("page")
    copied = copy_databases(unpacked, folder)
    target = copied / "data/neotoma.prod.db"
    copies = tuple(sorted((copied / "backups").glob("neotoma.prod*.db")))
    request = RecoverRequest(target, copies, folder / "vault", names=True)
    with recovery_run(request, NOW) as run:
        report = recover(run, lambda _: True, Silent())
    return report, Path(report.page or "").read_text(), target


def words_of(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).split())


def test_the_page_lies_with_the_report_and_is_its_owners_alone(
    recovered: tuple[RecoveryReport, str, Path],
) -> None:
    report, _, _ = recovered
    page = Path(report.page or "")
    assert page == Path(report.report).with_name("report.html")
    assert page.stat().st_mode & 0o777 == 0o600
    assert json.loads(Path(report.report).read_text())["page"] == str(page)
    assert not list(page.parent.glob(".*"))


def test_it_says_the_verdict_the_numbers_the_commands_and_the_proofs(
    recovered: tuple[RecoveryReport, str, Path],
) -> None:
    report, page, target = recovered
    text = words_of(page)
    back = report.after.observations - report.before.observations
    assert f"neotoma.prod.db is recovered: {back:,} observations and" in text
    assert report.undo is not None
    assert report.undo in unescape(page)
    assert f"midden init --target {target}" in unescape(page)
    assert (report.next or "").startswith(f"midden init --target {target}")
    for check in report.checks:
        assert check.detail in text
    for counts in report.tables:
        if counts.read > counts.skipped:
            assert f"{counts.table} " in text
    assert report.reingested.observations
    (entity,) = re.findall(r"<code><bdi>(ent_\w+)</bdi></code> <bdi>", page)[:1]
    assert entity in Path(report.reingested.file or "").read_text()


def test_what_is_missing_of_a_day_is_drawn_in_the_lane_of_the_database(
    recovered: tuple[RecoveryReport, str, Path],
) -> None:
    report, page, _ = recovered
    lost = re.findall(r"<title>[\d-]+: ([\d,]+) missing</title>", page)
    back = report.after.observations - report.before.observations
    assert sum(int(count.replace(",", "")) for count in lost) == back
    assert len(re.findall(r'<svg role="img"', page)) == 2 + len(report.backups)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """A small database, and a copy of it with one entity more, whose name is full of markup."""
    rows = [observation("o1", "e1"), observation("o2", "e2")]
    named = entity("e2", canonical_name=NAME)
    target = make_database(
        tmp_path / "neotoma.prod.db", {"entities": [entity("e1")], "observations": rows[:1]}
    )
    tables = {"entities": [entity("e1"), named], "observations": rows}
    return target, make_database(tmp_path / "copies" / "neotoma.prod.db", tables)


def test_names_are_on_the_page_only_if_asked_for(pair: tuple[Path, Path], tmp_path: Path) -> None:
    pages = {}
    for names in (False, True):
        request = RecoverRequest(pair[0], pair[1:], tmp_path / "vault", names=names)
        with recovery_run(request, NOW) as run:
            report = plan_only(run, Silent())
        pages[names] = Path(report.page or "").read_text()
        assert "Planted" not in Path(report.report).read_text()
    assert "Planted" not in pages[False]
    assert "Planted &lt;b&gt;\\u202eName &amp; Co" in pages[True]
    assert "<b>" not in pages[True]
    assert "A recovery would bring 1 observation and 1 entity back" in words_of(pages[False])


def test_a_page_that_cannot_be_kept_changes_nothing(
    pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fails(*_: object) -> bytes:
        raise RuntimeError("a stored value")

    monkeypatch.setattr("neotoma_core.recovery.page.kept.recovery_page", fails)
    report = recover_into(tmp_path / "vault")(*pair)
    assert report.outcome == "published"
    assert report.page is None
    assert json.loads(Path(report.report).read_text())["outcome"] == "published"
    assert not list(Path(report.report).parent.glob("*.html"))


def test_a_page_whose_place_is_taken_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / PAGE).mkdir()
    assert keep_page(tmp_path / PAGE, lambda: b"page") is None
    assert [path.name for path in tmp_path.iterdir()] == [PAGE]


def test_a_refusal_says_how_many_rows_wait_and_how_to_go_on(
    pair: tuple[Path, Path], tmp_path: Path
) -> None:
    with closing(sqlite3.connect(pair[1])) as connection:
        connection.execute("UPDATE observations SET fields = '{}' WHERE id = 'o1'")
        connection.commit()
    request = RecoverRequest(pair[0], pair[1:], tmp_path / "vault", MergePolicy("safe"))
    with recovery_run(request, NOW) as run, pytest.raises(ConflictsFound):
        recover(run, lambda _: True, Silent())
    (page,) = (tmp_path / "vault/reports").glob("*/report.html")
    text = words_of(page.read_text())
    assert "Nothing was changed: safe mode leaves 1 conflict" in text
    assert "conflicts.jsonl" in text.partition("--decisions")[2]
    assert "observations o1 backup-1 fields undecided" in text
