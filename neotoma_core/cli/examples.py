"""The examples that the help of each command ends with; a test parses every one of them."""

from collections.abc import Mapping
from typing import Final

EXAMPLES: Final[Mapping[str, tuple[str, ...]]] = {
    "recover": (
        "midden recover --target neotoma.prod.db",
        "midden recover --target neotoma.prod.db --search ~ --dry-run",
        "midden recover --target neotoma.prod.db --backup old.db --mode safe",
    ),
    "rebuild": (
        "midden rebuild --target neotoma.prod.db --check",
        "midden rebuild --target neotoma.prod.db --as-of 2026-02-01 --out then.parquet",
        "midden rebuild --archive vault/archive --out neotoma.new.db",
    ),
    "restore": (
        "midden restore 3 --target neotoma.prod.db --dry-run",
        "midden restore latest --target neotoma.prod.db",
        "midden restore --from-remote nas --target neotoma.prod.db",
    ),
    "erase": (
        "midden erase --target neotoma.prod.db --entity ent_0514fb862a6ed3b75b4c5698 --dry-run",
        "midden erase --target neotoma.prod.db --again",
    ),
    "find": (
        "midden find",
        "midden find ~/Dropbox /media/disk --target neotoma.prod.db",
        "midden find ~ --picture copies.svg",
    ),
    "status": (
        "midden status",
        "midden status neotoma.prod.db --search ~/backups",
    ),
    "backup": (
        "midden backup --target neotoma.prod.db",
        "midden backup --target neotoma.prod.db --quiet",
    ),
    "backups": (
        "midden backups --target neotoma.prod.db",
        "midden backups --target neotoma.prod.db --pin 3 'before the move'",
        "midden backups --target neotoma.prod.db --accept 7 'cleaned up by hand'",
    ),
    "verify": (
        "midden verify --target neotoma.prod.db",
        "midden verify --target neotoma.prod.db --max-age 7d --max-duration 10m",
        "midden verify --remote nas --target neotoma.prod.db --sample 5%",
    ),
    "prune": (
        "midden prune --target neotoma.prod.db",
        "midden prune --target neotoma.prod.db --keep-daily 14 --keep-monthly 6 --apply",
        "midden prune --target neotoma.prod.db --keep-evidence 90d --apply",
    ),
    "forget": (
        "midden forget --erased --target neotoma.prod.db --dry-run",
        "midden forget --erased --target neotoma.prod.db",
    ),
    "reset": ("midden reset --target neotoma.db",),
    "serve": ("midden serve --target neotoma.prod.db --backup-cron '0 3 * * *'",),
    "fleet status": ("midden fleet status", "midden fleet status main --json"),
    "fleet backup": ("midden fleet backup", "midden fleet backup --workers 4 --per-disk 2"),
    "fleet verify": ("midden fleet verify --max-age 7d --max-duration 10m",),
    "fleet find": ("midden fleet find", "midden fleet find --search /mnt/copies"),
    "push": (
        "midden push --target neotoma.prod.db",
        "midden push --target neotoma.prod.db --watch",
    ),
    "pull": ("midden pull --target neotoma.prod.db --remote nas --dry-run",),
    "archive": ("midden archive --target neotoma.prod.db",),
    "export": (
        "midden export --target neotoma.prod.db --to tables",
        "midden export --target neotoma.prod.db --to shared --redact person.email",
    ),
    "show": (
        "midden show 'Ada Lovelace' --target neotoma.prod.db",
        "midden show 'Ada Lovelace' --target neotoma.prod.db --in 3",
    ),
    "diff": (
        "midden diff 3 neotoma.prod.db --target neotoma.prod.db",
        "midden diff old.db neotoma.prod.db --values --limit 20",
    ),
    "history": ("midden history --entity ent_0514fb862a6ed3b75b4c5698 --target neotoma.prod.db",),
    "merges": ("midden merges --target neotoma.prod.db",),
    "unmerge": ("midden unmerge --target neotoma.prod.db --merge-id 4f0c --dry-run",),
    "compact": ("midden compact --target neotoma.prod.db --apply",),
    "approve": ("midden approve 7f3a-91c2",),
    "audit": ("midden audit --target neotoma.prod.db --last 20",),
    "demo": ("midden demo",),
    "completion": ("midden completion zsh",),
    "mcp install": ("midden mcp install claude-code --target neotoma.prod.db",),
    "guard install": ("midden guard install --apply",),
    "config show": ("midden config show",),
    "config check": ("midden config check",),
    "remote add": (
        "midden remote add nas /media/nas/midden --target neotoma.prod.db",
        "midden remote add cloud s3://bucket/midden --target neotoma.prod.db",
    ),
    "remote list": ("midden remote list --target neotoma.prod.db",),
    "remote show": ("midden remote show nas --target neotoma.prod.db",),
    "remote check": ("midden remote check nas --target neotoma.prod.db",),
    "remote remove": ("midden remote remove nas --target neotoma.prod.db",),
    "remote prune": ("midden remote prune nas --target neotoma.prod.db --keep-daily 30 --apply",),
    "remote rewrite": ("midden remote rewrite nas --erased --target neotoma.prod.db",),
    "init": (
        "midden init",
        "midden init --target neotoma.prod.db --yes",
    ),
    "doctor": (
        "midden doctor",
        "midden doctor --target neotoma.prod.db --offline",
    ),
    "schedule install": (
        "midden schedule install --target neotoma.prod.db --dry-run",
        "midden schedule install --target neotoma.prod.db --every hourly",
    ),
    "schedule status": ("midden schedule status --target neotoma.prod.db",),
    "schedule remove": ("midden schedule remove --target neotoma.prod.db",),
    "schedule run": ("midden schedule run --target neotoma.prod.db --if-due",),
}
