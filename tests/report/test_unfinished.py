from neotoma_core.report.unfinished import (
    SHOWN,
    UnfinishedStore,
    UnfinishedStores,
    findings_of_unfinished,
    lines_of_unfinished,
)


def stores(count: int = 0, **unchecked: int) -> UnfinishedStores:
    lost = tuple(UnfinishedStore(f"s{n}", 0, 1, f"file-{n}") for n in range(count))
    torn = tuple(UnfinishedStore(f"t{n}", 1, 2, f"file-{n}") for n in range(count))
    return UnfinishedStores(9, lost, torn, tuple(f"e{n}" for n in range(count)), unchecked)


def test_very_many_are_counted_in_full_and_found_one_by_one_up_to_a_limit() -> None:
    many = stores(SHOWN + 1)
    kinds = [finding.kind for finding in findings_of_unfinished(many)]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "never-stored": SHOWN,
        "partly-stored": SHOWN,
        "hollow-entity": SHOWN,
    }
    (line,) = lines_of_unfinished(many)
    assert line.startswith("unfinished 1,001 payloads never stored, 1,001 partly stored, 1,001 ")


def test_nothing_unfinished_is_not_mentioned() -> None:
    assert list(lines_of_unfinished(None)) == []
    assert list(lines_of_unfinished(stores())) == []
    assert list(findings_of_unfinished(stores())) == []


def test_missing_raw_files_are_not_mentioned_and_all_else_that_was_not_checked_is() -> None:
    reasons = ("encrypted", "unreadable", "too-large", "too-many", "recent", "erased")
    told = stores(**dict.fromkeys(("no-file", *reasons, "not-reached"), 2))
    (line,) = lines_of_unfinished(told)
    assert line.startswith("unchecked  payloads and entities: 2 encrypted and no key opens them, ")
    found = list(findings_of_unfinished(told))
    assert [finding.kind for finding in found] == ["not-checked"] * 7
    assert list(lines_of_unfinished(stores(**{"no-file": 2}))) == []
