"""Commands about remotes: where the memory is kept off this machine."""
