"""Scheduled backups and drills, and telling whoever is configured how they went."""
