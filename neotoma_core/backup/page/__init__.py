"""Backups and drills as pages."""
