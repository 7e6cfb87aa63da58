"""What opens the contents of a remote is missing, or is another remote's."""

from neotoma_core.errors.root import MiddenError


class IdentityMissing(MiddenError):
    """The contents of a remote are encrypted, and no identity was given."""

    exit_code = 12

    def __init__(self, where: str) -> None:
        self.where = where
        super().__init__(
            f"remote {where}: what is there is encrypted and no identity was given; "
            "give the file with the identity that `midden remote add` made: --identity-file FILE"
        )


class IdentityWrong(MiddenError):
    """The contents of a remote are encrypted for others than the identity that was given."""

    exit_code = 12

    def __init__(self, where: str) -> None:
        self.where = where
        super().__init__(
            f"remote {where}: the identity does not open what is there; give the one that "
            "`midden remote add` made for this remote, or that of one of its recipients"
        )
