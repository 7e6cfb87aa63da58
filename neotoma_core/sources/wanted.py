"""What a recovery wants of the databases it reads."""

from dataclasses import dataclass

from neotoma_core.neotoma.tables import Table


@dataclass(frozen=True, slots=True)
class Wanted:
    """The rows that are wanted, and from what backups.

    ``tables``: those that are merged. ``skip_unreadable``: go on without backups that cannot be
    read. ``only_rows_decide``: whatever becomes of a row follows from the rows of the databases,
    and from nothing else that was asked for.
    """

    tables: tuple[Table, ...]
    skip_unreadable: bool = False
    only_rows_decide: bool = True
