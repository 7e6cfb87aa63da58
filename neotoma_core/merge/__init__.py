"""Which rows go where when backups are merged into a target.

Pure: frames in, frames out.
"""
