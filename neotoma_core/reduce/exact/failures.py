"""A reduction that Neotoma itself does not get to the end of."""


class ReductionFails(Exception):
    """Neotoma throws here: the snapshot that is there stays, and none is written where none is.

    The message says why, with the names of fields and no value.
    """
