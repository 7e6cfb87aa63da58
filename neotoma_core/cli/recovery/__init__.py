"""Commands that bring a database back, or put it right."""
