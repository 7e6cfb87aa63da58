"""What is done to remotes themselves: added, checked, proven, pruned, rewritten."""
