"""The only readers of the environment, and of Neotoma's own settings and command lines."""
