"""Text that is shown nowhere."""

from typing import NoReturn


class Secret:
    """A text that neither prints nor leaves the process; ask for it by name where it is used."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(...)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret does not leave its process")
