"""Timers of the system that run scheduled backups: systemd, launchd or cron."""
