"""What all commands share: options, asking, progress, streams."""
