"""JSON documents of ours, written, and read as what they are a model of; asked times."""
