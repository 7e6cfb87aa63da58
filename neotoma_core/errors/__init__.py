"""Every error Midden raises on purpose, and the exit code each ends a command with.

::

    MiddenError                  1
    ├── NativePanic              1    a library that midden uses failed in itself
    ├── UsageError               2    wrong arguments or settings
    ├── ConflictsFound           4    safe mode met one key with two values
    ├── VerificationFailed       5    what was written is not what was planned; rolled back
    │   └── BackupNotIntact      5    a backup is not what was stored; nothing was moved
    ├── AnomalyFound             6    a sudden loss; rotation is frozen
    ├── BackupError             10    an input; the target is unchanged
    │   ├── BackupUnreadable    10    missing, no permission, not SQLite, empty, truncated
    │   ├── BackupDamaged       10    opens, but fails its integrity check
    │   └── NotNeotoma          10    a SQLite database without Neotoma's tables
    ├── TargetError             11    the target cannot be used as it is
    │   ├── TargetLocked        11    another program holds the database; retryable
    │   ├── TargetRuined        11    damaged, cut short or empty: it has to be recovered first
    │   ├── TargetForeign       11    another program's file, or it may be; not replaced unasked
    │   ├── TargetChanged       11    the target changed after it was read; retryable
    │   └── ErasureUnfinished   11    rows were erased, their traces not all; retryable
    ├── KeyMissing              12    encrypted values and no key
    ├── KeyWrong                12    encrypted values that the key does not open
    ├── IdentityMissing         12    an encrypted remote and no identity
    ├── IdentityWrong           12    an encrypted remote that the identity does not open
    ├── EnvironmentMismatch     13    development rows offered to production, or the reverse
    ├── DatabaseMismatch        13    a backup of one database offered to another one
    ├── DiskFull                14    too little free space for what is about to be written
    ├── FileUnusable            15    a file or folder of neither of these cannot be used
    │   └── OutputFailed        15    standard output cannot be written to
    ├── MemoryFull              16    too little memory
    ├── VaultError              20    the folder Midden owns
    │   ├── VaultAbsent         20    it was made there and is gone; perhaps its disk is
    │   ├── OtherDatabase       20    it protects another database
    │   ├── VaultLocked         21    another run is using it; retryable
    │   └── VaultDamaged        22    something in it is not what its manifest says
    ├── ArchiveError            25    no archive, of a newer midden, or it cannot be written to
    │   ├── ArchiveForeign      25    the archive is of another database
    │   ├── ArchiveBusy         26    another run is writing to it; retryable
    │   └── ArchiveDamaged      27    a file of it is missing or damaged
    ├── ClusterError            40    workers of a cluster cannot do the job
    │   ├── SchedulerUnreachable 41   it does not answer, or has no worker; retryable
    │   ├── WorkersDiffer       42    workers have other versions than this process
    │   └── WorkerLost          43    workers died again and again over one task
    ├── FleetError              44    databases of a fleet need somebody
    │   └── ProcessLost         45    a process that worked on a database was killed or crashed
    └── RemoteError             30    no such bucket or folder, an unsuitable store, a later format
        ├── RemoteUnreachable   31    it does not answer; retryable
        ├── RemoteDenied        32    credentials are missing, wrong, or do not allow it
        ├── RemoteForeign       33    it holds another database, or something else
        └── RemoteDamaged       34    an object was changed or is not one of its own
            └── ObjectMissing   34    an object is missing

A message reads ``<what> <which>: <what is wrong>; <what to do>`` and never holds a stored value.
Exit code 3 is not an error: the run did its work, and some of the backups could not be read.
129, 130 and 143 end a run that was interrupted or terminated, 141 one whose output nobody reads
any longer.
"""

from neotoma_core.errors.clusters import (
    ClusterError,
    SchedulerUnreachable,
    WorkerLost,
    WorkersDiffer,
)
from neotoma_core.errors.databases import (
    BackupDamaged,
    BackupError,
    BackupUnreadable,
    DatabaseMismatch,
    DiskFull,
    EnvironmentMismatch,
    ErasureUnfinished,
    FileUnusable,
    KeyMissing,
    KeyWrong,
    MemoryFull,
    NotNeotoma,
    OutputFailed,
    TargetChanged,
    TargetError,
    TargetForeign,
    TargetLocked,
    TargetRuined,
)
from neotoma_core.errors.fleets import FleetError, ProcessLost
from neotoma_core.errors.identities import IdentityMissing, IdentityWrong
from neotoma_core.errors.outcomes import (
    AnomalyFound,
    BackupNotIntact,
    ConflictsFound,
    UsageError,
    VerificationFailed,
)
from neotoma_core.errors.panics import NativePanic, is_panic, without_panic
from neotoma_core.errors.places import (
    ArchiveBusy,
    ArchiveDamaged,
    ArchiveError,
    ArchiveForeign,
    OtherDatabase,
    VaultAbsent,
    VaultDamaged,
    VaultError,
    VaultLocked,
)
from neotoma_core.errors.reasons import reason_of, words_of
from neotoma_core.errors.record import (
    UNDO_ASKS,
    RunRecord,
    begin_record,
    committing,
    done_besides,
    record_commit,
    record_rollback,
    run_command,
    run_record,
    what_is_done,
)
from neotoma_core.errors.remotes import (
    ObjectMissing,
    RemoteDamaged,
    RemoteDenied,
    RemoteError,
    RemoteForeign,
    RemoteUnreachable,
)
from neotoma_core.errors.root import (
    MiddenError,
)

__all__ = [
    "UNDO_ASKS",
    "AnomalyFound",
    "ArchiveBusy",
    "ArchiveDamaged",
    "ArchiveError",
    "ArchiveForeign",
    "BackupDamaged",
    "BackupError",
    "BackupNotIntact",
    "BackupUnreadable",
    "ClusterError",
    "ConflictsFound",
    "DatabaseMismatch",
    "DiskFull",
    "EnvironmentMismatch",
    "ErasureUnfinished",
    "FileUnusable",
    "FleetError",
    "IdentityMissing",
    "IdentityWrong",
    "KeyMissing",
    "KeyWrong",
    "MemoryFull",
    "MiddenError",
    "NativePanic",
    "NotNeotoma",
    "ObjectMissing",
    "OtherDatabase",
    "OutputFailed",
    "ProcessLost",
    "RemoteDamaged",
    "RemoteDenied",
    "RemoteError",
    "RemoteForeign",
    "RemoteUnreachable",
    "RunRecord",
    "SchedulerUnreachable",
    "TargetChanged",
    "TargetError",
    "TargetForeign",
    "TargetLocked",
    "TargetRuined",
    "UsageError",
    "VaultAbsent",
    "VaultDamaged",
    "VaultError",
    "VaultLocked",
    "VerificationFailed",
    "WorkerLost",
    "WorkersDiffer",
    "begin_record",
    "committing",
    "done_besides",
    "is_panic",
    "reason_of",
    "record_commit",
    "record_rollback",
    "run_command",
    "run_record",
    "what_is_done",
    "without_panic",
    "words_of",
]
