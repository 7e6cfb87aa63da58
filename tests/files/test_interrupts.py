"""Interrupts held over a commit: delivered once the report is out, not lost."""

import signal

import polars as pl
import pytest

from neotoma_core.files.interrupts import hold_interrupts, on_scratch, release


def test_a_held_interrupt_waits_for_the_end_of_the_block() -> None:
    reported = []
    with pytest.raises(KeyboardInterrupt), release():  # noqa: PT012 - the order is the point
        hold_interrupts()
        signal.raise_signal(signal.SIGINT)
        assert pl.DataFrame({"a": [1]}).sum().item() == 1  # with threads of Polars' own
        reported.append("report")
    assert reported == ["report"]


def test_an_interrupt_before_anything_is_held_comes_at_once() -> None:
    with pytest.raises(KeyboardInterrupt), release():
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_nothing_is_held_where_nobody_would_deliver_it() -> None:
    hold_interrupts()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_commit_to_scratch_holds_nothing() -> None:
    with pytest.raises(KeyboardInterrupt), release(), on_scratch():  # noqa: PT012 - as above
        hold_interrupts()
        signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), release():  # noqa: PT012 - as above
        with on_scratch():
            hold_interrupts()
        hold_interrupts()
        signal.raise_signal(signal.SIGINT)
