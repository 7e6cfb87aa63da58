"""What copies of a database hold together: which belong together, which are needed. Pure."""
