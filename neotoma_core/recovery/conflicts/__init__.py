"""What is in conflict in a recovery: kept in files, decided by whoever reads them."""
