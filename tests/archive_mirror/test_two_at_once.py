"""Several runs at once: one commit a number, nothing lost, nothing twice, whoever comes first."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from neotoma_core.archive import on_store
from neotoma_core.archive_mirror import publishing
from neotoma_core.archive_mirror.bringing import has_archive
from neotoma_core.archive_tables.reading import read_table
from neotoma_core.archive_tables.tables import open_archive
from neotoma_core.errors import ArchiveBusy
from neotoma_core.files.atomic import observe
from neotoma_core.row_versions.columns import REMOVED
from tests.conftest import NOW
from tests.support.archiving import log_of, of_table, rebuild
from tests.support.on_a_store import TABLE, Archived

DAY = timedelta(days=1)


def require_once(there: Archived) -> None:
    """Require that the archive has every row of the database once, and nothing besides."""
    assert there.verify().findings == ()
    with there.bring() as folder:
        opened = open_archive(folder)
        for name in opened.tables:
            rows = read_table(opened, name).require_whole()
            assert not rows.select("_row_hash").is_duplicated().any(), name
        assert read_table(opened, REMOVED).rows.is_empty()
        assert log_of(rebuild(folder, folder.parent / "back.db")) == log_of(there.database)
        (folder.parent / "back.db").unlink()


def test_processes_that_archive_at_once_lose_nothing_and_double_nothing(there: Archived) -> None:
    machines = ("one", "two", "three")
    for number in range(3):
        there.add(*(f"{number}-{row}" for row in range(5)))
        running = [there.begin(machine) for machine in machines]
        ends = [process.communicate() for process in running]
        assert [process.returncode for process in running] == [0, 0, 0], ends
        require_once(there)
        assert there.archive("last", NOW + number * DAY).outcome == "unchanged"


def meanwhile(step: str, act: Callable[[], object], times: int = 1) -> Callable[[str], None]:
    """Return what acts when a step is reached for the first time, or the first few."""
    left = [times]

    def count(at: str) -> None:
        if at == step and left[0]:
            left[0] -= 1
            act()

    return count


def elsewhere(there: Archived) -> None:
    """Append from another machine, as a process of its own, to its end."""
    with there.begin("two") as process:
        said = process.communicate()
        assert process.returncode == 0, said


@pytest.mark.parametrize("step", [*publishing.STEPS, "table_committed"])
def test_a_run_that_another_one_overtakes_decides_again(step: str, there: Archived) -> None:
    with observe(meanwhile(step, lambda: elsewhere(there))):
        report = there.archive()
    require_once(there)
    assert report.outcome in {"archived", "unchanged"}


def test_what_was_sent_in_vain_is_removed(there: Archived) -> None:
    there.archive()
    there.add("o3")
    with observe(meanwhile("files_published", lambda: elsewhere(there))):
        assert there.archive(now=NOW + DAY).outcome == "unchanged"
    assert len([name for name in there.names(TABLE) if name.endswith(".parquet")]) == 2
    require_once(there)


def test_a_row_that_only_the_other_run_saw_is_not_taken_for_gone(there: Archived) -> None:
    """Its copy of the database is older: it has to look at the database again."""
    there.archive()
    there.add("o3")

    def overtake() -> None:
        there.add("o4")
        there.change("UPDATE observations SET fields = '{\"a\":1}' WHERE id = 'o1'")
        elsewhere(there)

    with observe(meanwhile("files_published", overtake)):
        report = there.archive(now=NOW - 30 * DAY)  # its clock is far behind
    assert (report.outcome, report.gone) == ("unchanged", 0)
    with there.bring() as folder:
        opened = open_archive(folder)
        assert read_table(opened, REMOVED).rows.is_empty()
        assert read_table(opened, TABLE).require_whole().height == 5  # o1 in two versions
        assert log_of(rebuild(folder, there.folder / "back.db")) == log_of(there.database)


def test_a_report_has_what_was_published_before_a_run_decided_again(there: Archived) -> None:
    there.archive()
    there.add("o3")
    there.change("UPDATE entities SET canonical_name = 'changed'")

    def overtake() -> None:
        there.add("o4")
        elsewhere(there)

    with observe(meanwhile("record_published", overtake)):
        report = there.archive(now=NOW + DAY)
    assert of_table(report, "entities").changed == 1
    assert of_table(report, TABLE).appended == 0
    assert (report.outcome, report.appended) == ("archived", 1)


def test_one_who_is_overtaken_again_and_again_gives_up_and_says_so(
    there: Archived, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_store, "_TRIES", 3)
    there.archive()
    there.add("o3")
    numbers = iter(range(100))

    def overtake() -> None:
        elsewhere(there)
        there.add(f"more-{next(numbers)}")

    with (
        observe(meanwhile("files_published", overtake, 100)),
        pytest.raises(ArchiveBusy) as raised,
    ):
        there.archive(now=NOW + DAY)
    assert str(raised.value).startswith(f"archive {there.place.url}: another run of midden is")
    assert raised.value.retryable
    assert there.archive(now=NOW + DAY).outcome == "archived"
    require_once(there)


def test_two_that_begin_an_archive_share_it(there: Archived) -> None:
    with observe(meanwhile("table_committed", lambda: elsewhere(there))):
        assert there.archive().outcome == "unchanged"
    assert there.names("committed").count("committed/archive.json") == 1
    with there.place.open() as store:
        assert has_archive(store)
    require_once(there)
