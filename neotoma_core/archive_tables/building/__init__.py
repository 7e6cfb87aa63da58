"""The rows of an archive as the database had them, found in memory for one bucket at a time."""
