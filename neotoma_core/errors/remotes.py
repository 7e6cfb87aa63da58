"""Remotes: object stores off this machine, and what Midden keeps in them.

``url`` is the address as it may be shown: it never holds a secret.
"""

from neotoma_core.errors.root import MiddenError


class RemoteError(MiddenError):
    """A remote cannot be used as it is."""

    exit_code = 30

    def __init__(self, url: str, wrong: str, advice: str) -> None:
        self.url = url
        self.wrong = wrong
        self.advice = advice
        super().__init__(f"remote {url}: {wrong}; {advice}")


class RemoteUnreachable(RemoteError):
    """A remote does not answer, or the connection to it broke."""

    exit_code = 31
    retryable = True

    def __init__(
        self, url: str, wrong: str, advice: str = "check the network and run again"
    ) -> None:
        super().__init__(url, wrong, advice)


class RemoteDenied(RemoteError):
    """Credentials are missing or wrong, or do not allow what was asked for."""

    exit_code = 32


class RemoteForeign(RemoteError):
    """A remote holds another database, or what Midden did not put there."""

    exit_code = 33


class RemoteDamaged(RemoteError):
    """An object of a remote is missing, was changed, or is not one of its own."""

    exit_code = 34

    def __init__(
        self,
        url: str,
        wrong: str,
        advice: str = "look for a copy of the object, or recover from another remote",
    ) -> None:
        super().__init__(url, wrong, advice)


class ObjectMissing(RemoteDamaged):
    """There is no object of that name."""

    def __init__(self, url: str, name: str) -> None:
        self.name = name
        super().__init__(url, f"there is no object {name}")
