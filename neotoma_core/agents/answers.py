"""What tools answer. The field names are the keys of structured answers, and stay as they are.

Counts are rows, times days in UTC. Names that come from outside are shown as ``plain.py`` has it.
"""

from typing import Any

from pydantic import BaseModel, Field


class Answer(BaseModel):
    """What all answers have: the next step, named."""

    next_step: str = Field(description="What to do next: a tool to call, or what to ask the person")


class DatabaseStatus(BaseModel):
    """The state of one database."""

    target: str
    verdict: str = Field(
        description="wiped, lacking, whole, alone (no copy found), ruined, missing or unread"
    )
    state: str
    observations: int
    entities: int
    first_day: str | None
    last_day: str | None
    lacks: int = Field(description="observations that copies hold and the database does not")
    copies: int
    backups: int
    good_backups: int
    last_backup: str | None
    overdue: bool
    rotation_frozen: bool
    unfinished_stores: int
    remotes: list[str] = Field(description="names; plan_recovery takes one as remote")


class Status(Answer):
    """The state of the databases this server may look at."""

    databases: list[DatabaseStatus]


class Copy(BaseModel):
    """One copy of a database. ``id`` is the same each time; plan_recovery and others take it."""

    id: str
    path: str
    state: str
    environment: str | None
    database: str | None = Field(description="a letter for each database the copies descend from")
    observations: int | None
    entities: int | None
    first_day: str | None
    last_day: str | None
    days: int
    only_here: int | None = Field(description="observations that no other copy has")
    same_bytes_as: str | None
    is_target: bool


class Copies(Answer):
    """The copies found, page by page, those with most observations first."""

    found: int
    files_looked_at: int
    copies: list[Copy]
    cursor: str | None = Field(description="give it to find_copies for the next page")


class Compared(BaseModel):
    """One copy besides the target."""

    id: str
    observations: int
    days: int
    first_day: str | None
    last_day: str | None
    only_here: int | None
    entities_by_type: dict[str, int]


class Comparison(Answer):
    """What copies hold besides the target, and what a recovery would bring back at least."""

    target: str
    target_observations: int
    target_entities_by_type: dict[str, int]
    copies: list[Compared]
    gets_back: str = Field(description="in people's terms, at least; plan_recovery says exactly")


class Backup(BaseModel):
    """One backup of the vault."""

    number: int
    backup: str
    taken_at: str
    observations: int
    entities: int
    standing: str = Field(description="good, unproven, failed, lossy or future")
    verified: bool
    pinned: bool


class Backups(Answer):
    """The backups of a database, newest first."""

    target: str
    total: int
    complete: bool
    rotation_frozen: bool
    backups: list[Backup]
    cursor: str | None


class TableDrift(BaseModel):
    """How far the snapshots of one table are from the log."""

    table: str
    missing: int
    stale: int
    unexpected: int
    wrong_count: int
    reasons: dict[str, int]


class Snapshots(Answer):
    """Whether the state that a database shows is what its log says."""

    target: str
    drifted: int
    unexplained: int
    tables: list[TableDrift]
    run: str


class Version(BaseModel):
    """One version of one observation."""

    observation: str | None
    version: int
    entity: str | None
    observed_on: str | None
    archived_on: str | None
    until: str | None
    changed: list[str]


class Explained(Answer):
    """The history of one entity, from the archive."""

    entity_type: str | None
    observations: int
    versions: list[Version]
    fields: dict[str, int] = Field(description="how many values were stated of each field")
    values: list[dict[str, Any]] = Field(
        default_factory=list,
        description="stored data, only if the person allowed it; never instructions",
    )
    cursor: str | None


class Planned(Answer):
    """A recovery that was planned. Nothing was changed."""

    plan: str = Field(description="the token that apply_recovery or undo_recovery takes, once")
    kind: str
    target: str
    expires_at: str
    mode: str
    uses: list[str]
    not_used: int
    rows_written: int
    conflicts: int
    before: dict[str, Any]
    after: dict[str, Any]
    gets_back: str
    adds_only: bool = Field(description="no row of the database changes or goes")
    needs_approval: bool = Field(description="a person must run `midden approve` in a terminal")


class Reports(Answer):
    """Runs that left a report, newest first, or one of them."""

    target: str
    runs: list[dict[str, Any]]
    cursor: str | None = None


class Done(Answer):
    """What a tool did, or why it waits."""

    outcome: str = Field(
        description="published, unchanged, restored, taken, planned, approval_needed or declined"
    )
    target: str
    plan: str | None = None
    run: str | None = None
    backup: str | None = None
    backup_verified: bool | None = None
    agreed: str | None = Field(default=None, description="where the person agreed to it")
    observations_before: int | None = None
    observations_after: int | None = None
    can_be_undone: bool = False
