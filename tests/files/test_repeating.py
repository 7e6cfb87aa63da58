"""What a signal interrupted is done again, and nothing else is."""

import pytest

from neotoma_core.files.repeating import repeating


def test_an_interrupted_call_is_done_again() -> None:
    tries: list[str] = []

    def call(name: str) -> str:
        tries.append(name)
        if len(tries) < 3:
            raise InterruptedError
        return name

    assert (repeating(call)("a"), tries) == ("a", ["a"] * 3)


@pytest.mark.parametrize("error", [InterruptedError, FileNotFoundError])
def test_a_call_that_goes_on_failing_fails(error: type[OSError]) -> None:
    tries: list[int] = []

    def call() -> None:
        tries.append(0)
        raise error

    with pytest.raises(error):
        repeating(call)()
    assert (len(tries) == 1) == (error is FileNotFoundError)
