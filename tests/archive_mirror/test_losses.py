"""What is lost or changed on a store is found by verify, and stops what would build on it."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from neotoma_core.archive_mirror.layout import record_name
from neotoma_core.errors import ArchiveDamaged
from tests.conftest import NOW
from tests.support.on_a_store import TABLE, Archived

DAY = timedelta(days=1)
Plant = Callable[[Archived], None]


@pytest.fixture
def grown(there: Archived) -> Archived:
    """An archive of three runs, each with one observation more, and one more entity at last."""
    there.archive()
    for number in (3, 4):
        there.add(f"o{number}")
        if number == 4:
            there.change("UPDATE entities SET canonical_name = 'changed'")
        there.archive(now=NOW + number * DAY)
    assert there.verify().findings == ()
    return there


def entry(number: int) -> str:
    return f"{TABLE}/_delta_log/{number:020}.json"


def lose(*names: str) -> Plant:
    return lambda archived: archived.remove(*names)


def parts(archived: Archived) -> list[str]:
    return [name for name in archived.names(TABLE) if name.endswith(".parquet")]


def cut_a_file(archived: Archived) -> None:
    with archived.place.open() as store:
        content = store.read(parts(archived)[0])
    archived.replace(parts(archived)[0], content[:-1])


def change_a_file(archived: Archived) -> None:
    with archived.place.open() as store:
        first, second = (store.read(name) for name in parts(archived)[:2])
    changed = bytearray(first)
    changed[len(changed) // 2] ^= 0xFF
    assert second
    archived.replace(parts(archived)[0], bytes(changed))


LOSSES: dict[str, tuple[Plant, str]] = {
    "the newest commit": (lose(entry(2)), "its log ends with commit 1"),
    "a commit in the middle": (lose(entry(1)), "cannot be read"),
    "a table": (
        lambda archived: archived.remove(*archived.names(TABLE)),
        "the table is gone; 4 rows were committed to it",
    ),
    "a file": (lambda archived: archived.remove(parts(archived)[0]), "the file is missing"),
    "the end of a file": (cut_a_file, "it does not have the"),
    "a byte of a file": (change_a_file, ""),
    "all records": (
        lambda archived: archived.remove(*archived.names("committed")),
        "the record of its commits is missing",
    ),
    "what a record says": (
        lambda archived: archived.replace(record_name(TABLE, 2), b'{"format":1}'),
        "the record of its commits cannot be read",
    ),
    "something else is there": (
        lambda archived: archived.plant(lambda store: store.create("notes.txt", b"mine")),
        "not an object of the archive",
    ),
}


@pytest.mark.parametrize(("plant", "said"), LOSSES.values(), ids=list(LOSSES))
def test_a_loss_is_found_by_verify(plant: Plant, said: str, grown: Archived) -> None:
    plant(grown)
    report = grown.verify()
    assert report.outcome == "damaged"
    assert any(said in one.detail for one in report.findings), report.findings
    assert all("midden-" not in one.subject for one in report.findings)
    assert all(one.subject.startswith(grown.place.url) for one in report.findings)


STOPPING = ("the newest commit", "a commit in the middle", "a table", "all records")


@pytest.mark.parametrize("loss", STOPPING)
@pytest.mark.parametrize("machine", ["one", "two"])
def test_nothing_is_built_on_a_loss(loss: str, machine: str, grown: Archived) -> None:
    LOSSES[loss][0](grown)
    before = grown.names()
    grown.add("o5")
    with pytest.raises(ArchiveDamaged) as raised:
        grown.archive(machine, NOW + 9 * DAY)
    assert grown.place.url in str(raised.value)
    assert "midden-" not in str(raised.value)
    assert grown.names() == before


def test_rows_of_a_file_that_is_gone_are_appended_again(grown: Archived) -> None:
    lost = parts(grown)[0]
    grown.remove(lost)
    report = grown.archive(now=NOW + 9 * DAY)
    assert any("the file is missing" in one.detail for one in report.findings)
    assert report.appended > 0


def test_what_says_what_the_archive_is_comes_back(grown: Archived) -> None:
    grown.remove("archive.json", *grown.names("signs"))
    assert "archive-harmed" in {one.kind for one in grown.verify().findings}
    grown.archive(now=NOW + 9 * DAY)
    assert grown.verify().findings == ()


def test_a_record_that_was_not_written_is_added_by_the_next_run(grown: Archived) -> None:
    names = [name for name in grown.names("committed") if TABLE in name][-1:]
    grown.remove(*names)
    assert grown.verify().outcome == "verified"
    assert grown.archive("two", NOW + 9 * DAY).outcome == "unchanged"
    assert names[0] in grown.names("committed")


def test_a_commit_is_missed_although_the_record_of_its_table_is_gone_too(grown: Archived) -> None:
    """Every record says of all tables what was known: a later one of another table has it, too."""
    grown.change("DELETE FROM sources")
    grown.archive(now=NOW + 9 * DAY)  # its last record is of the removed rows
    grown.remove(entry(2), record_name(TABLE, 2))
    (found,) = {one.detail for one in grown.verify().findings if "commits of it" in one.detail}
    assert "commit 2 was made" in found
