"""Commands that keep a database safe."""
