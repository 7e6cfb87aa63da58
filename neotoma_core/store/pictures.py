"""stub."""


def write_picture(*a: object) -> None:
    """Do nothing."""
