"""What a whole copy to erase from has in it, read all at once where it is small."""
