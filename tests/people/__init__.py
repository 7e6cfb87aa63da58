"""What each of the people gets who come to midden, played from their home folder."""
