"""Drills: a backup restored to a scratch place and checked, or what of it another drill proved."""
